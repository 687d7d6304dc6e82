import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One image the tree makes. */
export interface TreeImage {
  id: string;
  flavor: string | null;
  addons: string[];
  parent: string | null;
  /** Its topmost part as a folder under docker/: `addons/gui`. */
  part: string;
  /** Folders of all its parts. */
  parts: string[];
}

/** Every image that `build.sh all` makes, parents first. */
export function imageTree(dockerRoot: string): TreeImage[] {
  const base: TreeImage = {
    id: "agentpod-base",
    flavor: null,
    addons: [],
    parent: null,
    part: "base",
    parts: ["base"],
  };
  const flavors = partsIn(dockerRoot, "flavors").map((flavor): TreeImage => {
    const part = `flavors/${flavor}`;
    return { id: `agentpod-${flavor}`, flavor, addons: [], parent: base.id, part, parts: ["base", part] };
  });
  const withAddons = [base, ...flavors].flatMap((below) =>
    partsIn(dockerRoot, "addons").map((addon): TreeImage => {
      const part = `addons/${addon}`;
      const parts = [...below.parts, part];
      return { id: `${below.id}-${addon}`, flavor: below.flavor, addons: [addon], parent: below.id, part, parts };
    }),
  );
  return [base, ...flavors, ...withAddons];
}

function partsIn(dockerRoot: string, kind: "flavors" | "addons"): string[] {
  const folders = readdirSync(join(dockerRoot, kind), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => name);
  return names.filter((name) => readdirSync(join(dockerRoot, kind, name)).includes("Dockerfile")).toSorted();
}

/** The lines of a table file, split at blanks into `columns`, the last one whole; comments left out. */
export function readTable(file: string, columns: number): string[][] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const words = line.trim().split(/\s+/);
      return [...words.slice(0, columns - 1), words.slice(columns - 1).join(" ")];
    });
}

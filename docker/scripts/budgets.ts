import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MeasuredImage } from "@agentpod/types";
import type { TreeImage } from "./image-tree.ts";

/** How far an image may be from the manifest's figure before `--check` speaks up; both must be passed. */
const TOLERANCE = { share: 0.05, mb: 5 };

/** One line an image: what it weighs, what it adds to its parent, and what it may. */
export function renderTable(images: readonly MeasuredImage[]): string[] {
  const header = ["image", "MB", "added", "budget", "compressed", "added"];
  const rows = images.map((image) => [
    image.id,
    shown(image.sizeMb),
    shown(image.addedMb),
    shown(image.budgetMb),
    shown(image.compressedMb),
    shown(image.addedCompressedMb),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}

export interface Overrun {
  line: string;
  /** The part's README says why. */
  excused: boolean;
}

/** The images over their budget. */
export function reportedOverruns(
  dockerRoot: string,
  tree: readonly TreeImage[],
  images: readonly MeasuredImage[],
): Overrun[] {
  return images.flatMap(({ id, addedMb, budgetMb }) => {
    if (budgetMb === null || addedMb <= budgetMb) return [];
    const part = tree.find((image) => image.id === id)?.part ?? "";
    const reason = /^Budget: *(.+)$/m.exec(readFileSync(join(dockerRoot, part, "README.md"), "utf8"))?.[1];
    const over = `${id}: ${addedMb} MB are over its budget of ${budgetMb} MB`;
    const why = reason ?? `make it smaller, or say why in docker/${part}/README.md in a line "Budget: ..."`;
    return [{ line: `${over}: ${why}`, excused: reason !== undefined }];
  });
}

/** What is not as the manifest says. */
export function differences(images: readonly MeasuredImage[], known: ReadonlyMap<string, MeasuredImage>): string[] {
  return images.flatMap(({ id, sizeMb, addedMb }) => {
    const before = known.get(id);
    if (before === undefined) return [`${id} is not in the manifest; run docker/scripts/manifest.sh`];
    const pairs = [
      { what: "weighs", now: sizeMb, was: before.sizeMb },
      { what: "adds", now: addedMb, was: before.addedMb },
    ];
    return pairs
      .filter(({ now, was }) => Math.abs(now - was) > Math.max(TOLERANCE.mb, was * TOLERANCE.share))
      .map(({ what, now, was }) => `${id} ${what} ${now} MB, the manifest says ${was}; run docker/scripts/manifest.sh`);
  });
}

function shown(mb: number | null): string {
  return mb === null ? "-" : mb.toFixed(mb < 100 ? 1 : 0);
}

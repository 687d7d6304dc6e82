import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { ImageManifest } from "@agentpod/types";
import { differences, renderTable, reportedOverruns } from "./budgets.ts";
import { localImages } from "./engine.ts";
import { imageTree } from "./image-tree.ts";
import { measureImages } from "./measure.ts";

interface Request {
  /** The folder docker/. */
  dockerRoot: string;
  /** `registry/owner` */
  prefix: string;
  version: string;
  /** Where the manifest is. */
  file: string;
  /** Compare instead of write. */
  check: boolean;
}

/** Does what manifest.sh says; gives its exit code. */
async function updateManifest({ dockerRoot, prefix, version, file, check }: Request): Promise<number> {
  const tree = imageTree(dockerRoot);
  const refOf = (id: string) => `${prefix}/${id}:${version}`;
  const local = await localImages(tree.map(({ id }) => refOf(id)));
  const base = local.get(refOf("agentpod-base"));
  if (base === undefined) throw new Error(`${refOf("agentpod-base")} is not here; run build-base.sh first`);

  const before = readManifest(file);
  const known = new Map(before?.images.map((image) => [image.id, image]));
  console.error(`manifest.sh: ${local.size} of ${tree.length} images are here`);
  const measured = await measureImages({ dockerRoot, tree, known, localOf: (id) => local.get(refOf(id)) });
  const images = tree.flatMap(({ id }) => measured.get(id) ?? known.get(id) ?? []);

  for (const line of renderTable(images)) console.log(line);
  const overruns = reportedOverruns(dockerRoot, tree, [...measured.values()]);
  for (const { line } of overruns) console.log(line);
  const changed = check ? differences([...measured.values()], known) : [];
  for (const line of changed) console.log(line);
  if (!check) write(file, { version, platform: base.platform, images });
  return overruns.some(({ excused }) => !excused) || changed.length > 0 ? 1 : 0;
}

/** A file of another form is made anew. */
function readManifest(file: string): ImageManifest | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return ImageManifest.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    console.error(`manifest.sh: ${file} is not a manifest, so every image is measured`);
    return undefined;
  }
}

/** Whole or not at all. */
function write(file: string, manifest: ImageManifest): void {
  const unfinished = `${file}.${process.pid}`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(manifest, null, 2)}\n`);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

try {
  const [dockerRoot = "", prefix = "", version = "", file = "", option] = process.argv.slice(2);
  process.exitCode = await updateManifest({ dockerRoot, prefix, version, file, check: option === "--check" });
} catch (error) {
  console.error(`manifest.sh: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

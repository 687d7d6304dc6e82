import { join } from "node:path";
import type { MeasuredImage } from "@agentpod/types";
import { compressedSizes, type LocalImage, lookInside } from "./engine.ts";
import { readTable, type TreeImage } from "./image-tree.ts";

export interface MeasureOptions {
  dockerRoot: string;
  /** Parents first. */
  tree: readonly TreeImage[];
  /** What was measured before, by id. */
  known: ReadonlyMap<string, MeasuredImage>;
  localOf: (id: string) => LocalImage | undefined;
}

/**
 * Measures those images of the tree that are here and stand on the parent that is here. One with the
 * digest it had is not asked again.
 */
export async function measureImages(options: MeasureOptions): Promise<Map<string, MeasuredImage>> {
  const { dockerRoot, tree, known, localOf } = options;
  const budgets = new Map(readTable(join(dockerRoot, "budgets.txt"), 2).map(([part, mb]) => [part, Number(mb)]));
  const tools = readTable(join(dockerRoot, "tools.txt"), 3);
  const here = measurable(tree, localOf);
  const asked = (parts: readonly string[]) =>
    Object.fromEntries(
      tools.flatMap(([part = "", tool = "", command = ""]) => (parts.includes(part) ? [[tool, command]] : [])),
    );
  /** Its figures of before, when it is the same image and nothing else is asked of it. */
  const same = ({ id, parts }: TreeImage) => {
    const before = known.get(id);
    const names = (of: object) => Object.keys(of).toSorted().join();
    const isSame = before?.digest === localOf(id)?.digest && names(before?.tools ?? {}) === names(asked(parts));
    return isSame ? before : undefined;
  };
  const changed = here.filter((image) => same(image) === undefined);
  const refs = changed.flatMap(({ id }) => localOf(id)?.ref ?? []);
  const compressed = refs.length > 0 ? await compressedSizes(refs) : new Map<string, number | null>();
  const measured = new Map<string, MeasuredImage>();
  for (const image of here) {
    const { id, flavor, addons, parent, part, parts } = image;
    const local = localOf(id);
    if (local === undefined) continue;
    const below = parent === null ? undefined : measured.get(parent);
    const figures = same(image) ?? {
      digest: local.digest,
      compressedMb: inMb(compressed.get(local.digest) ?? null),
      ...(await contents(local.ref, asked(parts))),
    };
    const { sizeMb, compressedMb } = figures;
    measured.set(id, {
      id,
      flavor,
      addons,
      parent,
      sizeMb,
      addedMb: rounded(sizeMb - (below?.sizeMb ?? 0)),
      compressedMb,
      addedCompressedMb: below === undefined ? compressedMb : less(compressedMb, below.compressedMb),
      // A budget is of a part on the base, not of each combination.
      budgetMb: parent === null || parent === "agentpod-base" ? (budgets.get(part) ?? null) : null,
      digest: figures.digest,
      packagesHash: figures.packagesHash,
      tools: figures.tools,
    });
  }
  return measured;
}

async function contents(ref: string, tools: Readonly<Record<string, string>>) {
  const { bytes, ...rest } = await lookInside(ref, tools);
  return { sizeMb: rounded(bytes / 1_000_000), ...rest };
}

/** Those that are here, down to the base, each on the very parent that is here. */
function measurable(tree: readonly TreeImage[], localOf: MeasureOptions["localOf"]): TreeImage[] {
  const fit = new Map<string, TreeImage>();
  for (const image of tree) {
    const { id, parent } = image;
    const layers = localOf(id)?.layers;
    if (layers === undefined) continue;
    const below = parent === null ? [] : fit.has(parent) ? localOf(parent)?.layers : undefined;
    if (below !== undefined && layers.slice(0, below.length).join() === below.join()) fit.set(id, image);
    else console.error(`manifest.sh: ${id} is left out: the ${parent} it stands on is not here`);
  }
  return [...fit.values()];
}

function inMb(bytes: number | null): number | null {
  return bytes === null ? null : rounded(bytes / 1_000_000);
}

function less(whole: number | null, below: number | null): number | null {
  return whole === null || below === null ? null : rounded(whole - below);
}

/** To a tenth; an image that deletes more than it brings adds nothing. */
function rounded(mb: number): number {
  return Math.max(0, Math.round(mb * 10) / 10);
}

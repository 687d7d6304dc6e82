import type { ProjectUrls, ResolveImageOptions, ValidationResult, Violation } from "@agentpod/types";
import type { Runtime } from "../runtimes/runtime.ts";
import type { ImageAvailabilities, ImageAvailability, ImageQuery } from "./image-availability.ts";
import {
  generateProjectUrls,
  type ImageResolution,
  resolveImage,
  type ResolverContext,
  validateContainerConfig,
} from "./image-resolver.ts";
import { pickConfiguration } from "./configuration.ts";
import { runtimeWarnings } from "./project-config.ts";

export interface ImagesDeps {
  context: () => ResolverContext;
  runtime: Pick<Runtime, "name" | "capabilities">;
  availabilityOf: ImageAvailabilities;
}

/** A resolution with what else a caller wants to know before a project is made. */
export interface ResolvedImage extends ImageResolution {
  urls: ProjectUrls;
  image: ImageAvailability;
}

export interface MatrixRow {
  flavorId: string;
  addonIds: string[];
  valid: boolean;
  violations: Violation[];
  /** Null when the combination is not valid. */
  imageRef: string | null;
  image: ImageAvailability | null;
}

/** More rows than this are cut off: an addon doubles them. */
const MATRIX_ROWS_MAX = 4096;
/** Stands for the slug of a project that is not made yet. */
const EXAMPLE_SLUG = "project";

export type Images = ReturnType<typeof createImages>;

/** Answers what a configuration would be, without making anything. */
export function createImages({ context, runtime, availabilityOf }: ImagesDeps) {
  return {
    /** @throws ImageConfigurationError */
    async resolve(options: ResolveImageOptions, slug: string = EXAMPLE_SLUG): Promise<ResolvedImage> {
      const current = context();
      const resolution = resolveImage(options, current);
      const [image = UNASKED] = await availabilityOf([queryOf(resolution)]);
      const warnings = [...resolution.warnings, ...runtimeWarnings(resolution, runtime).map(({ message }) => message)];
      return { ...resolution, warnings, urls: generateProjectUrls(slug, resolution.addons, current), image };
    },

    validate: (options: ResolveImageOptions): ValidationResult => validateContainerConfig(options, context()),

    /** Every flavor with every set of addons, smaller sets first. */
    async matrix(): Promise<{ rows: MatrixRow[]; truncated: boolean }> {
      const current = context();
      const sets = addonSets(
        current.addons.map(({ id }) => id),
        Math.floor(MATRIX_ROWS_MAX / Math.max(1, current.flavors.length)),
      );
      const all = current.flavors.flatMap((flavor) => sets.map((addonIds) => rowOf(flavor.id, addonIds, current)));
      const valid = all.filter((row) => row.imageRef !== null);
      const images = await availabilityOf(
        valid.map(({ imageRef, ...rest }) => ({ ...rest, imageRef: imageRef ?? "" })),
      );
      for (const [index, row] of valid.entries()) row.image = images[index] ?? UNASKED;
      return { rows: all, truncated: sets.length < 2 ** current.addons.length };
    },
  };
}

const UNASKED: ImageAvailability = { state: "unknown", digest: null, compressedBytes: null };

function queryOf({ imageRef, flavor, addons }: ImageResolution): ImageQuery {
  return { imageRef, flavorId: flavor.id, addonIds: addons.map(({ id }) => id) };
}

function rowOf(flavorId: string, addonIds: string[], context: ResolverContext): MatrixRow {
  const picked = pickConfiguration({ flavorId, addonIds }, context);
  const violations = picked.ok ? [] : picked.violations;
  const imageRef = picked.ok ? resolveImage({ flavorId, addonIds }, context).imageRef : null;
  return { flavorId, addonIds, valid: picked.ok, violations, imageRef, image: null };
}

/** Sets of ids in alphabetical order, smaller ones first, at most `countMax`. */
function addonSets(ids: readonly string[], countMax: number): string[][] {
  const sorted = ids.toSorted();
  const sets: string[][] = [[]];
  for (let from = 0; from < sets.length; from += 1) {
    const set = sets[from] ?? [];
    const last = set.at(-1);
    for (const id of sorted.slice(last === undefined ? 0 : sorted.indexOf(last) + 1)) {
      if (sets.length >= countMax) return sets;
      sets.push([...set, id]);
    }
  }
  return sets;
}

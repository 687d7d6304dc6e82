import { z } from "zod";

const megabytes = z.number().min(0).max(1_000_000);
const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** What one image of the tree weighs and holds. Sizes are in MB of 1,000,000 bytes. */
export const MeasuredImage = z.strictObject({
  /** Its name: `agentpod-js`. */
  id: z.string().min(1).max(255),
  /** Null for the base and for addons on the base alone. */
  flavor: z.string().nullable(),
  /** In alphabetical order. */
  addons: z.array(z.string()),
  /** Id of the image below it; null for the base. */
  parent: z.string().nullable(),
  /** All files of a running container, unpacked. */
  sizeMb: megabytes,
  /** What it has more than its parent. */
  addedMb: megabytes,
  /** Its layers as they travel; null where the engine keeps them unpacked. */
  compressedMb: megabytes.nullable(),
  addedCompressedMb: megabytes.nullable(),
  /** What `addedMb` may be; null when nothing is promised. */
  budgetMb: megabytes.nullable(),
  /** Of the image that was measured. */
  digest: sha256,
  /** Of its Debian packages with their versions, one a line, sorted. */
  packagesHash: sha256,
  /** Versions as the tools tell them inside the image; null for one that is not in it. */
  tools: z.record(z.string(), z.string().nullable()),
});
export type MeasuredImage = z.infer<typeof MeasuredImage>;

/** `docker/manifest.json`: what the images that were built last weigh and hold. */
export const ImageManifest = z.strictObject({
  /** Of the images: their tag. */
  version: z.string().min(1).max(128),
  /** Such as `linux/amd64`. */
  platform: z.string().min(1).max(64),
  images: z.array(MeasuredImage),
});
export type ImageManifest = z.infer<typeof ImageManifest>;

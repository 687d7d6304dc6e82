/** Knows about images; a runtime that uses images gives one. */
export interface ImageInspector {
  /** By `imageRef`; one that is left out counts as unknown. May fail, and should stop at `signal`. */
  inspect: (images: readonly ImageQuery[], signal: AbortSignal) => Promise<ReadonlyMap<string, ImageAvailability>>;
}

export interface ImageQuery {
  imageRef: string;
  flavorId: string;
  /** Sorted, without doubles. */
  addonIds: readonly string[];
}

/** Where a container made now would get its image from. */
export const IMAGE_STATES = [
  /** The engine has it, or a registry it can pull from. */
  "available",
  /** It is put together from parts that are there. */
  "composable",
  /** The build scripts make it, which takes a while. */
  "buildable",
  /** It cannot be had. */
  "absent",
  /** Nobody could be asked. */
  "unknown",
] as const;
export type ImageState = (typeof IMAGE_STATES)[number];

export interface ImageAvailability {
  state: ImageState;
  /** `sha256:...` of the manifest, where known. */
  digest: string | null;
  /** What a pull of all of it fetches; null where the registry was not asked for it. */
  compressedBytes: number | null;
}

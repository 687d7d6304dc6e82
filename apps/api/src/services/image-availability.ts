import type { ImageAvailability, ImageInspector, ImageQuery } from "../runtimes/image-inspector.ts";

export {
  IMAGE_STATES,
  type ImageAvailability,
  type ImageInspector,
  type ImageQuery,
} from "../runtimes/image-inspector.ts";

export interface ImageAvailabilityOptions {
  /** Absent where the runtime uses no images. */
  inspector: ImageInspector | undefined;
  /** How long an answer is good for. */
  ttlMs?: number;
  /** How long to wait for the inspector. */
  timeoutMs?: number;
  now?: () => number;
}

export type ImageAvailabilities = ReturnType<typeof createImageAvailabilities>;

const UNKNOWN: ImageAvailability = { state: "unknown", digest: null, compressedBytes: null };
const ENTRIES_MAX = 5000;

interface Entry {
  until: number;
  answer: Promise<ImageAvailability>;
}

/** Asks the inspector at most once for an image within the time an answer is good for. Never fails. */
export function createImageAvailabilities(options: ImageAvailabilityOptions) {
  const { inspector, ttlMs = 5000, timeoutMs = 2000, now = Date.now } = options;
  const entries = new Map<string, Entry>();

  const ask = async (images: readonly ImageQuery[]): Promise<ReadonlyMap<string, ImageAvailability>> => {
    if (inspector === undefined) return new Map();
    const signal = AbortSignal.timeout(timeoutMs);
    const tooLate = new Promise<ReadonlyMap<string, ImageAvailability>>((resolve) => {
      signal.addEventListener("abort", () => resolve(new Map()), { once: true });
    });
    try {
      return await Promise.race([inspector.inspect(images, signal), tooLate]);
    } catch {
      return new Map();
    }
  };

  /** One answer for each image, in order. */
  return async function availabilityOf(images: readonly ImageQuery[]): Promise<ImageAvailability[]> {
    const time = now();
    const stale = images.filter(({ imageRef }) => (entries.get(imageRef)?.until ?? 0) <= time);
    if (stale.length > 0) {
      if (entries.size + stale.length > ENTRIES_MAX) entries.clear();
      const asked = ask(stale);
      for (const { imageRef } of stale) {
        entries.set(imageRef, { until: time + ttlMs, answer: asked.then((found) => found.get(imageRef) ?? UNKNOWN) });
      }
    }
    return await Promise.all(images.map(async ({ imageRef }) => (await entries.get(imageRef)?.answer) ?? UNKNOWN));
  };
}

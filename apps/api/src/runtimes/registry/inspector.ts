import { RegistryError, type RegistryClient } from "@agentpod/oci";
import pLimit from "p-limit";
import { isLocalOnly } from "../docker/image-name.ts";
import type { ImageAvailability, ImageInspector } from "../image-inspector.ts";

export interface RegistryInspectorOptions {
  client: Pick<RegistryClient, "digestOf" | "resolve">;
  logger: { debug: (data: object, message: string) => void };
  /** Whose sizes are told: `linux/arm64`. */
  platform?: string;
  /** How long an answer is good for. */
  ttlMs?: number;
  /** How long a caller waits; what is not known by then is unknown. Less than callers of `inspect` wait. */
  waitMs?: number;
  /** Questions to registries at a time. */
  concurrency?: number;
  now?: () => number;
}

interface Entry {
  until: number;
  /** Callers that have not gone yet. */
  waiting: number;
  digest: Promise<string | null | undefined>;
}

/** More images than this are asked for their digests alone: public registries count questions for sizes as pulls. */
const SIZED_MAX = 8;
const ENTRIES_MAX = 5000;
const TROUBLE_PAUSE_MS = 5_000;
const PAUSE_MS_MAX = 10 * 60_000;
/** About the registry, not about one image. */
const TROUBLE = new Set(["unreachable", "timeout", "rate_limited", "server_error"]);
const UNKNOWN: ImageAvailability = { state: "unknown", digest: null, compressedBytes: null };
const ABSENT: ImageAvailability = { ...UNKNOWN, state: "absent" };

/**
 * Says for images what their registries know. Answers are remembered and callers share questions; those that nobody
 * waits for any more are not sent. A registry in trouble is left alone for a while, as long as it asks for.
 */
export function createRegistryInspector(options: RegistryInspectorOptions): ImageInspector {
  const { client, logger, platform = "linux/amd64", now = Date.now } = options;
  const { ttlMs = 60_000, waitMs = 1_400, concurrency = 8 } = options;
  const oneOfFew = pLimit(concurrency);
  const digests = new Map<string, Entry>();
  /** A digest's size never changes. */
  const sizes = new Map<string, Promise<number | null | undefined>>();
  const pausedUntil = new Map<string, number>();

  function entryOf(imageRef: string): Entry {
    const known = digests.get(imageRef);
    if (known !== undefined && known.until > now()) return known;
    if (digests.size >= ENTRIES_MAX) digests.clear();
    const entry: Entry = {
      until: now() + ttlMs,
      waiting: 0,
      digest: oneOfFew(() => (entry.waiting === 0 ? undefined : ask(imageRef, () => client.digestOf(imageRef)))),
    };
    digests.set(imageRef, entry);
    void forgetUnknown(digests, imageRef, entry, entry.digest);
    return entry;
  }

  async function digestOf(imageRef: string, late: Promise<undefined>) {
    const entry = entryOf(imageRef);
    entry.waiting += 1;
    try {
      return await Promise.race([entry.digest, late]);
    } finally {
      entry.waiting -= 1;
    }
  }

  function sizeOf(imageRef: string, digest: string): Promise<number | null | undefined> {
    const known = sizes.get(digest);
    if (known !== undefined) return known;
    if (sizes.size >= ENTRIES_MAX) sizes.clear();
    const pinned = `${imageRef.replace(/@.*$/, "").replace(/:[^/:]*$/, "")}@${digest}`;
    const size = oneOfFew(async () => {
      const found = await ask(imageRef, () => client.resolve(pinned, { platform }));
      return found?.compressedBytes;
    });
    sizes.set(digest, size);
    void forgetUnknown(sizes, digest, size, size);
    return size;
  }

  /** Undefined when the registry could not be asked. */
  async function ask<Answer>(imageRef: string, question: () => Promise<Answer>): Promise<Answer | undefined> {
    const registry = imageRef.split("/", 1)[0] ?? "";
    if ((pausedUntil.get(registry) ?? 0) > now()) return undefined;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const { failure, message: reason, retryAfterMs } = error;
      logger.debug({ imageRef, failure, reason }, "the registry did not tell");
      if (TROUBLE.has(failure)) {
        pausedUntil.set(registry, now() + Math.min(retryAfterMs ?? TROUBLE_PAUSE_MS, PAUSE_MS_MAX));
      }
      return undefined;
    }
  }

  async function availabilityOf(imageRef: string, isSized: boolean, late: Promise<undefined>) {
    const digest = await digestOf(imageRef, late);
    if (digest === undefined) return UNKNOWN;
    if (digest === null) return ABSENT;
    // One that is known already costs nothing.
    const size = isSized ? sizeOf(imageRef, digest) : sizes.get(digest);
    return { state: "available", digest, compressedBytes: (await Promise.race([size, late])) ?? null } as const;
  }

  return {
    async inspect(images, signal) {
      const published = images.filter(({ imageRef }) => !isLocalOnly(imageRef));
      const isSized = published.length <= SIZED_MAX;
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const stop = () => resolve(undefined);
      const timer = setTimeout(stop, waitMs);
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      try {
        const ask = async (imageRef: string) => [imageRef, await availabilityOf(imageRef, isSized, late)] as const;
        return new Map(await Promise.all(published.map(({ imageRef }) => ask(imageRef))));
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

/** What could not be asked is asked again the next time. */
async function forgetUnknown<Entry>(
  entries: Map<string, Entry>,
  key: string,
  entry: Entry,
  answer: Promise<string | number | null | undefined>,
): Promise<void> {
  // A failure is for those who asked.
  const known = await answer.catch(() => undefined);
  if (known === undefined && entries.get(key) === entry) entries.delete(key);
}

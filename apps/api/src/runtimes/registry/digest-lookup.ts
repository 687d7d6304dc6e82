import { RegistryError, type RegistryClient } from "@agentpod/oci";
import { isLocalOnly } from "../docker/image-name.ts";

export type DigestLookup = (imageRef: string, signal: AbortSignal) => Promise<string | null>;

export interface DigestLookupOptions {
  client: Pick<RegistryClient, "digestOf">;
  logger: { debug: (data: object, message: string) => void };
}

/** What a name means now, as `sha256:…`, so that it can be pinned; null where that cannot be known. Never fails. */
export function createDigestLookup({ client, logger }: DigestLookupOptions): DigestLookup {
  return async (imageRef, signal) => {
    if (isLocalOnly(imageRef)) return null;
    try {
      return await client.digestOf(imageRef, { signal });
    } catch (error) {
      const failure = error instanceof RegistryError ? error.failure : "unexpected_answer";
      const reason = error instanceof Error ? error.message : "unknown";
      logger.debug({ imageRef, failure, reason }, "the registry did not tell the digest");
      return null;
    }
  };
}

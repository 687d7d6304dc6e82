import { z } from "zod";

/** Everything an image can be described by; engines ask for the same. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const size = z.int().nonnegative();

const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(
    z.object({
      digest: Digest,
      platform: z
        .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
        .nullish()
        .catch(null),
    }),
  ),
});

const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: z.object({ size }),
  layers: z.array(z.object({ size })),
});

export interface Platform {
  /** `linux/amd64`, `linux/arm/v7`. */
  name: string;
  digest: string;
}

export type Description =
  | { kind: "index"; mediaType: string | null; platforms: Platform[] }
  | { kind: "image"; mediaType: string | null; compressedBytes: number | null };

/** What a manifest says; null when it is none. */
export function readManifest(json: unknown): Description | null {
  const index = Index.safeParse(json);
  if (index.success) {
    const platforms = index.data.manifests.flatMap(({ digest, platform }) =>
      // Signatures and build records stand in an index as well, for an unknown platform.
      platform && platform.os !== "unknown" ? [{ digest, name: nameOf(platform) }] : [],
    );
    return { kind: "index", mediaType: index.data.mediaType ?? null, platforms };
  }
  const manifest = Manifest.safeParse(json);
  if (!manifest.success) return null;
  const { config, layers, mediaType = null } = manifest.data;
  const bytes = layers.reduce((sum, layer) => sum + layer.size, config.size);
  return { kind: "image", mediaType, compressedBytes: Number.isSafeInteger(bytes) ? bytes : null };
}

/** `linux/arm64` also finds `linux/arm64/v8`, which is the same; other variants have to be named. */
export function pickPlatform(platforms: readonly Platform[], wanted: string): Platform | undefined {
  const plain = (name: string) => name.replace(/\/arm64\/v8$/, "/arm64");
  return platforms.find(({ name }) => plain(name) === plain(wanted));
}

export function isDigest(text: string | null): text is string {
  return Digest.safeParse(text).success;
}

function nameOf({ os, architecture, variant }: { os: string; architecture: string; variant?: string | undefined }) {
  return [os, architecture, variant].filter((part) => part).join("/");
}

import type Dockerode from "dockerode";
import pLimit from "p-limit";
import { callEngine } from "./call-engine.ts";
import { statusOf } from "./engine-error.ts";
import { isLocalOnly, listedName } from "./image-name.ts";

const REGISTRY_TIMEOUT_MS = 1_500;
const REGISTRY_QUESTIONS = 8;
const UNPUBLISHED = new Set([401, 403, 404]);

export interface InspectedImage {
  imageRef: string;
  flavorId: string;
  addonIds: readonly string[];
}

export interface ImageFinding {
  state: "available" | "buildable" | "absent" | "unknown";
  /** `sha256:...` of the manifest; null where nobody knows it. */
  digest: string | null;
  /** Always null: engines do not tell it. */
  compressedBytes: null;
}

export interface ImageInspectorOptions {
  docker: Dockerode;
  /** Whether the image can be built on this host. */
  canBuild: (image: InspectedImage) => boolean;
  /** How long all questions to registries may take together; what is open then is unknown. */
  registryTimeoutMs?: number;
}

/** Says for images, by name, where a container made now would get them from: the engine, a registry, a build. */
export function createImageInspector({
  docker,
  canBuild,
  registryTimeoutMs = REGISTRY_TIMEOUT_MS,
}: ImageInspectorOptions) {
  const oneOfFew = pLimit(REGISTRY_QUESTIONS);

  async function find(image: InspectedImage, local: ReadonlyMap<string, string | null>, signal: AbortSignal) {
    const name = listedName(image.imageRef);
    if (local.has(name)) return finding("available", local.get(name));
    const published = isLocalOnly(image.imageRef) ? null : await oneOfFew(() => askRegistry(image.imageRef, signal));
    if (typeof published === "string") return finding("available", published);
    if (canBuild(image)) return finding("buildable");
    return finding(published === null ? "absent" : "unknown");
  }

  /** The digest; null when the registry does not give it; undefined when it could not be asked. */
  async function askRegistry(imageRef: string, signal: AbortSignal): Promise<string | null | undefined> {
    if (signal.aborted) return undefined;
    // The engine forwards the question, with the certificates and mirrors it also pulls with.
    const ask = async () => {
      try {
        return (await docker.getImage(imageRef).distribution()).Descriptor.digest;
      } catch (error) {
        if (UNPUBLISHED.has(statusOf(error) ?? 0)) return null;
        throw error;
      }
    };
    return callEngine("asking the registry", ask, { signal }).catch(() => undefined);
  }

  return {
    async inspect(images: readonly InspectedImage[], signal: AbortSignal): Promise<ReadonlyMap<string, ImageFinding>> {
      const local = await listLocal(docker, signal);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(registryTimeoutMs)]);
      const entries = images.map(async (image) => [image.imageRef, await find(image, local, limit)] as const);
      return new Map(await Promise.all(entries));
    },
  };
}

/** Digests of what the engine has, by every name it has it under. */
async function listLocal(docker: Dockerode, signal: AbortSignal): Promise<Map<string, string | null>> {
  const images = await callEngine("listing the images", (abortSignal) => docker.listImages({ abortSignal }), {
    signal,
  });
  const digests = new Map<string, string | null>();
  for (const { RepoTags, RepoDigests } of images) {
    for (const name of RepoDigests ?? []) digests.set(name, digestIn([name]));
    for (const tag of RepoTags ?? []) {
      const repository = tag.slice(0, tag.lastIndexOf(":"));
      digests.set(tag, digestIn((RepoDigests ?? []).filter((name) => name.startsWith(`${repository}@`))));
    }
  }
  return digests;
}

function digestIn([name]: readonly string[]): string | null {
  return name?.split("@")[1] ?? null;
}

function finding(state: ImageFinding["state"], digest: string | null = null): ImageFinding {
  return { state, digest, compressedBytes: null };
}

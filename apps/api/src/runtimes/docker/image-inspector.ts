import type Dockerode from "dockerode";
import pLimit from "p-limit";
import type { ImageAvailability, ImageInspector, ImageQuery } from "../image-inspector.ts";
import { callEngine } from "./call-engine.ts";
import { statusOf } from "./engine-error.ts";
import { isLocalOnly, listedName } from "./image-name.ts";

const REGISTRY_TIMEOUT_MS = 1_500;
const REGISTRY_QUESTIONS = 8;
const UNPUBLISHED = new Set([401, 403, 404]);

export interface ImageInspectorOptions {
  docker: Dockerode;
  /** Whether the image can be built on this host. */
  canBuild: (image: ImageQuery) => boolean;
  /** Asked before the engine's own way, since it tells sizes too; without one only the engine is asked. */
  registry?: ImageInspector | undefined;
  /** How long all questions to registries may take together; what is open then is unknown. */
  registryTimeoutMs?: number;
}

/** Says for images, by name, where a container made now would get them from: the engine, a registry, a build. */
export function createImageInspector({
  docker,
  canBuild,
  registry,
  registryTimeoutMs = REGISTRY_TIMEOUT_MS,
}: ImageInspectorOptions): ImageInspector {
  const oneOfFew = pLimit(REGISTRY_QUESTIONS);

  async function find(image: ImageQuery, told: ImageAvailability | undefined, signal: AbortSignal) {
    if (told?.state === "available") return told;
    const published = await whetherPublished(image, told, signal);
    if (typeof published === "string") return finding("available", published);
    if (canBuild(image)) return finding("buildable");
    return finding(published === null ? "absent" : "unknown");
  }

  function whetherPublished({ imageRef }: ImageQuery, told: ImageAvailability | undefined, signal: AbortSignal) {
    if (isLocalOnly(imageRef) || told?.state === "absent") return null;
    return oneOfFew(() => askRegistry(imageRef, signal));
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
    async inspect(images, signal) {
      const local = await listLocal(docker, signal);
      const found = new Map<string, ImageAvailability>();
      for (const { imageRef } of images) {
        const digest = local.get(listedName(imageRef));
        if (digest !== undefined) found.set(imageRef, finding("available", digest));
      }
      const others = images.filter(({ imageRef }) => !found.has(imageRef));
      const limit = AbortSignal.any([signal, AbortSignal.timeout(registryTimeoutMs)]);
      const told = await registry?.inspect(others, limit);
      const ask = async (image: ImageQuery) => {
        found.set(image.imageRef, await find(image, told?.get(image.imageRef), limit));
      };
      await Promise.all(others.map(ask));
      return found;
    },
  };
}

/** Digests of what the engine has, by every name it has it under. */
async function listLocal(docker: Dockerode, signal: AbortSignal): Promise<Map<string, string | null>> {
  const list = () => callEngine("listing the images", (abortSignal) => docker.listImages({ abortSignal }), { signal });
  // An image that is removed meanwhile, or a connection that was kept too long, fails the whole list for no other.
  const images = await list().catch(list);
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

function finding(state: ImageAvailability["state"], digest: string | null = null): ImageAvailability {
  return { state, digest, compressedBytes: null };
}

import { createHash } from "node:crypto";
import { parseJson } from "./body.ts";
import type { CredentialsOf } from "./credentials.ts";
import { failureOf, RegistryError, type RegistryFailure } from "./errors.ts";
import type { Answer, Fetch } from "./exchange.ts";
import { type Description, isDigest, MANIFEST_TYPES, pickPlatform, readManifest } from "./manifests.ts";
import { type ImageReference, parseImageReference } from "./reference.ts";
import { createSession } from "./session.ts";

export interface RegistryClientOptions {
  /** Asked when a registry wants to know who asks; without it all are asked anonymously. */
  credentials?: CredentialsOf;
  /** For one exchange, redirects included. */
  timeoutMs?: number;
  fetch?: Fetch;
  /** Registries, as `host:port`, that speak plain HTTP although they are not on this machine. */
  insecureHosts?: readonly string[];
}

export interface PublishedImage {
  /** `sha256:…` of what the name stands for: an index where there is one, as engines show it too. */
  digest: string;
  mediaType: string;
  /** What a pull fetches for the platform, config and layers; null when the image is not made for it. */
  compressedBytes: number | null;
  /** Those of an index, as `linux/amd64`; empty for a single image, whose manifest does not say. */
  platforms: string[];
}

export type Ping = { ok: true; authentication: boolean } | { ok: false; failure: RegistryFailure; message: string };

interface CallOptions {
  signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 10_000;

export type RegistryClient = ReturnType<typeof createRegistryClient>;

/**
 * A client for what OCI registries know about images. Nothing is asked twice and nothing is waited out: a caller that
 * gets `rate_limited` or `server_error` decides. Methods throw only RegistryError, `timeout` when `signal` aborts.
 */
export function createRegistryClient(options: RegistryClientOptions = {}) {
  const {
    credentials = () => null,
    timeoutMs = TIMEOUT_MS,
    fetch = (url, init) => globalThis.fetch(url, init),
  } = options;
  const session = createSession({ credentials, timeoutMs, fetch, insecureHosts: options.insecureHosts ?? [] });

  /** Null when there is nothing of that name. */
  async function askManifest(
    method: "GET" | "HEAD",
    { host, repository }: ImageReference,
    reference: string,
    signal: AbortSignal | undefined,
  ): Promise<Answer | null> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const answer = await session.ask({ host, repository, method, path, accept: MANIFEST_TYPES, signal });
    if (answer.status === 200) return answer;
    // A web server that is no registry has no such page either.
    if (answer.status === 404 && !isPage(answer)) return null;
    throw failureOf(host, answer);
  }

  async function getManifest(image: ImageReference, reference: string, signal: AbortSignal | undefined) {
    const answer = await askManifest("GET", image, reference, signal);
    if (answer === null) return null;
    const digest = `sha256:${createHash("sha256").update(answer.bytes).digest("hex")}`;
    if ([reference, answer.headers.get("docker-content-digest")].some((told) => isDigest(told) && told !== digest)) {
      throw unexpected(image, "the manifest does not have the digest it is known by");
    }
    const description = readManifest(parseJson(new TextDecoder().decode(answer.bytes)));
    if (description === null) throw unexpected(image, "the answer is not the manifest of an image");
    return { digest, description, mediaType: mediaTypeOf(answer, description) };
  }

  return {
    /** All that the registry knows of an image; null when it does not have it. Registries count this as a pull. */
    async resolve(
      imageRef: string,
      { signal, platform = "linux/amd64" }: CallOptions & { platform?: string } = {},
    ): Promise<PublishedImage | null> {
      const image = parseImageReference(imageRef);
      const found = await getManifest(image, referenceOf(image), signal);
      if (found === null) return null;
      const { digest, mediaType, description } = found;
      if (description.kind === "image") {
        return { digest, mediaType, compressedBytes: description.compressedBytes, platforms: [] };
      }
      const platforms = description.platforms.map(({ name }) => name);
      const part = pickPlatform(description.platforms, platform);
      const inner = part === undefined ? null : await getManifest(image, part.digest, signal);
      const compressedBytes = inner?.description.kind === "image" ? inner.description.compressedBytes : null;
      return { digest, mediaType, compressedBytes, platforms };
    },

    /** The digest alone, for which registries count no pull; null when the image is not there. */
    async digestOf(imageRef: string, { signal }: CallOptions = {}): Promise<string | null> {
      const image = parseImageReference(imageRef);
      const answer = await askManifest("HEAD", image, referenceOf(image), signal);
      if (answer === null) return null;
      const digest = answer.headers.get("docker-content-digest");
      if (!isDigest(digest)) return (await getManifest(image, referenceOf(image), signal))?.digest ?? null;
      if (image.digest !== null && image.digest !== digest) throw unexpected(image, "another image was answered");
      return digest;
    },

    /** Whether a registry answers at `host`, such as `ghcr.io`, be it only to ask who is there. */
    async ping(host: string, { signal }: CallOptions = {}): Promise<Ping> {
      try {
        const question = {
          host,
          repository: "",
          method: "GET",
          path: "/v2/",
          accept: "application/json",
          signal,
        } as const;
        const answer = await session.askOpenly(question);
        if (answer.status === 401 && answer.headers.has("www-authenticate")) return { ok: true, authentication: true };
        if (answer.status !== 200) throw failureOf(host, answer);
        if (isPage(answer)) throw new RegistryError("unexpected_answer", `${host}: this is a web site, no registry.`);
        return { ok: true, authentication: false };
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return { ok: false, failure: error.failure, message: error.message };
      }
    },
  };
}

function referenceOf({ digest, tag }: ImageReference): string {
  return digest ?? tag ?? "latest";
}

function mediaTypeOf({ headers }: Answer, { kind, mediaType }: Description): string {
  const [told = ""] = (headers.get("content-type") ?? "").split(";");
  const assumed = `application/vnd.oci.image.${kind === "index" ? "index" : "manifest"}.v1+json`;
  return mediaType ?? (MANIFEST_TYPES.includes(told.trim()) && told.trim() !== "" ? told.trim() : assumed);
}

function isPage({ headers }: Answer): boolean {
  return (headers.get("content-type") ?? "").toLowerCase().startsWith("text/html");
}

function unexpected({ host }: ImageReference, what: string): RegistryError {
  return new RegistryError("unexpected_answer", `${host}: ${what}.`, { status: 200 });
}

import { RegistryError } from "./errors.ts";

/** What an image's name means, with the defaults that everybody leaves out. */
export interface ImageReference {
  /** `docker.io`, `127.0.0.1:5000`. */
  host: string;
  /** `library/debian`. */
  repository: string;
  /** Null when there is only a digest. */
  tag: string | null;
  /** `sha256:` and 64 hex digits. */
  digest: string | null;
}

const DOCKER_HUB = "docker.io";
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(?<port>\d{1,5}))?$/i;
const PART = String.raw`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`;
const REST = new RegExp(
  String.raw`^(?<repository>${PART}(?:\/${PART})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);
const LENGTH_MAX = 500;

/**
 * Reads `[host[:port]/]path[:tag][@sha256:…]` as engines do: a first part with a dot or a port, or `localhost`, is the
 * registry, otherwise Docker Hub is meant.
 * @throws RegistryError `invalid_reference`
 */
export function parseImageReference(text: string): ImageReference {
  if (text.length > LENGTH_MAX) throw invalid(`longer than ${LENGTH_MAX} characters`);
  const slash = text.indexOf("/");
  const first = slash === -1 ? "" : text.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first);
  const host = isHost ? hubByItsNames(first.toLowerCase()) : DOCKER_HUB;
  const port = HOST.exec(host)?.groups?.["port"];
  if (!HOST.test(host) || Number(port ?? 0) > 65_535) throw invalid("its registry is no host name with a port");
  const { repository, tag, digest } = REST.exec(isHost ? text.slice(slash + 1) : text)?.groups ?? {};
  if (repository === undefined) throw invalid("write it as registry/name:tag or registry/name@sha256:…, in lower case");
  return {
    host,
    repository: host === DOCKER_HUB && !repository.includes("/") ? `library/${repository}` : repository,
    tag: tag ?? (digest === undefined ? "latest" : null),
    digest: digest ?? null,
  };
}

/** Whether names of images may begin so: a registry such as `ghcr.io` or `127.0.0.1:5000`, or one with a path. */
export function isRegistryPrefix(text: string): boolean {
  try {
    parseImageReference(`${text}/image`);
    return text === text.toLowerCase();
  } catch {
    return false;
  }
}

/** Docker Hub goes by several names; credentials and tokens are kept under one. */
export function hubByItsNames(host: string): string {
  return host === "index.docker.io" || host === "registry-1.docker.io" ? DOCKER_HUB : host;
}

/**
 * Where a registry's API is. Plain HTTP is spoken to registries of this machine, and to those in `insecureHosts`.
 * @throws RegistryError `invalid_reference`
 */
export function originOf(host: string, insecureHosts: readonly string[] = []): string {
  const scheme = isLoopback(host) || insecureHosts.includes(host) ? "http" : "https";
  const origin = `${scheme}://${host === DOCKER_HUB ? "registry-1.docker.io" : host}`;
  if (!HOST.test(host) || !URL.canParse(origin)) throw invalid("its registry is no host name with a port");
  return origin;
}

/** Whether a host, with or without a port, is this machine. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}

function invalid(why: string): RegistryError {
  return new RegistryError("invalid_reference", `This is not the name of an image: ${why}.`);
}

import { readBounded } from "./body.ts";
import { RegistryError } from "./errors.ts";
import { isLoopback } from "./reference.ts";

export type Fetch = (url: string, init: BunFetchRequestInit) => Promise<Response>;

export interface Exchange {
  /** The registry's name, for messages. */
  host: string;
  method: "GET" | "HEAD";
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Secret; sent to the first address alone. */
  authorization: string | null;
  signal: AbortSignal | undefined;
}

export interface ExchangeLimits {
  fetch: Fetch;
  /** For all of it: redirects and the body too. */
  timeoutMs: number;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Empty unless the status is 200. */
  bytes: Uint8Array;
}

const REDIRECTS_MAX = 4;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What registries must take for a manifest, by the specification; tokens are far shorter. */
const BODY_BYTES_MAX = 4 * 2 ** 20;

/**
 * Asks once, following redirects that are safe, and reads the answer of whatever status.
 * @throws RegistryError `unreachable`, `timeout` (also when `signal` aborts) or `unexpected_answer`
 */
export async function exchangeOnce(exchange: Exchange, { fetch, timeoutMs }: ExchangeLimits): Promise<Answer> {
  const { host, signal } = exchange;
  const stopper = new AbortController();
  const stop = () => stopper.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const response = await follow(exchange, fetch, stopper.signal);
    if (response.status !== 200) {
      await response.body?.cancel();
      return { status: response.status, headers: response.headers, bytes: new Uint8Array() };
    }
    const bytes = await readBounded(response, BODY_BYTES_MAX);
    if (bytes === null) throw unexpected(host, `the answer is longer than ${BODY_BYTES_MAX} bytes`);
    return { status: 200, headers: response.headers, bytes };
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    if (signal?.aborted === true) throw new RegistryError("timeout", `${host}: broken off.`);
    if (stopper.signal.aborted) throw new RegistryError("timeout", `${host}: no answer within ${timeoutMs} ms.`);
    throw new RegistryError("unreachable", `${host}: no connection to the registry${codeOf(error)}.`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function follow({ host, method, ...start }: Exchange, fetch: Fetch, signal: AbortSignal): Promise<Response> {
  let url = new URL(start.url);
  let { authorization } = start;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const headers = { ...start.headers, ...(authorization === null ? {} : { authorization }) };
    const response = await fetch(url.href, { method, headers, redirect: "manual", signal });
    if (!REDIRECTS.has(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get("location") ?? "";
    const target = URL.canParse(location, url.href) ? new URL(location, url) : null;
    if (target === null || !isSafe(url, target)) throw unexpected(host, "redirected to where it is not safe to follow");
    // Blobs and manifests often lie with another service, whose business the registry's token is not.
    if (target.origin !== url.origin) authorization = null;
    url = target;
  }
  throw unexpected(host, "redirected too often");
}

/** Never from HTTPS to HTTP, and by HTTP only within one host or this machine. */
function isSafe(from: URL, to: URL): boolean {
  if (to.username !== "" || to.password !== "") return false;
  if (to.protocol === "https:") return true;
  if (to.protocol !== "http:" || from.protocol !== "http:") return false;
  return to.host === from.host || (isLoopback(from.host) && isLoopback(to.host));
}

function unexpected(host: string, what: string): RegistryError {
  return new RegistryError("unexpected_answer", `${host}: ${what}.`);
}

/** The system's code alone: the text of such an error may hold more than a user should see. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" && /^[A-Za-z_]{1,60}$/.test(code) ? ` (${code})` : "";
}

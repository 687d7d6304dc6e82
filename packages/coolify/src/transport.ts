import type { z } from "zod";
import { instanceUrl } from "./base-url.ts";
import { CoolifyError, type CoolifyFailure, unsafeValue } from "./errors.ts";
import { exchangeOnce, type Fetch, type Method } from "./exchange.ts";
import type { Answer } from "./failure.ts";
import { createThrottle, type Sleep, sleepFor } from "./throttle.ts";

/** What an observer hears after each exchange; `route` is a pattern such as `/applications/{uuid}/start`. */
export interface CoolifyCall {
  method: Method;
  route: string;
  /** Null when there was no answer. */
  status: number | null;
  /** Null after a success. */
  failure: CoolifyFailure | null;
  ms: number;
}

export interface CoolifyOptions {
  /** The instance's address, with or without a trailing slash, `/api` or `/api/v1`. */
  baseUrl: string;
  token: string;
  /** For one exchange; waiting for the rate limit does not count. */
  timeoutMs?: number;
  /** How long one call waits for the rate limit in sum, before it fails with `rate_limited`. */
  throttleMsMax?: number;
  /** Longer answers fail with `unexpected_response`. */
  answerBytesMax?: number;
  fetch?: Fetch;
  sleep?: Sleep;
  /** Called after every exchange, with nothing secret; it must not throw. */
  onCall?: (call: CoolifyCall) => void;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface CoolifyRequest extends CallOptions {
  method: Method;
  /** Path below `/api/v1`, with `{names}` for `parameters`. */
  route: string;
  parameters?: Record<string, string>;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** What must not show in a message, besides the token. */
  secrets?: readonly string[];
  /** Whether a 422 can come after a part was done. */
  partial?: boolean;
  /** Whether a POST or the like changes nothing. */
  harmless?: boolean;
  /** False for what works without a token and has a rate limit of its own. */
  versioned?: boolean;
}

/** Sends a request and waits as Coolify asks; the transport of all calls of one client. */
export function createTransport(options: CoolifyOptions) {
  const { token, timeoutMs = 30_000, throttleMsMax = 65_000, answerBytesMax = 32 * 2 ** 20 } = options;
  const { fetch = (url, init) => globalThis.fetch(url, init), sleep = sleepFor, onCall } = options;
  const instance = instanceUrl(options.baseUrl);
  // A token with a newline or the like would make fetch throw an error that quotes it.
  if (!/^[\x21-\x7e]{1,500}$/.test(token)) {
    throw unsafeValue([{ path: "token", message: "must be an API token as Coolify shows it, without blanks" }]);
  }
  const throttle = createThrottle({ throttleMsMax, sleep });

  /** The answer of a 2xx; every other outcome is a CoolifyError. */
  async function send(request: CoolifyRequest): Promise<Answer> {
    const { method, route, versioned = true, signal } = request;
    const writes = method !== "GET" && request.harmless !== true;
    const exchange = {
      call: `${method} ${route}`,
      method,
      url: `${instance}/api${versioned ? "/v1" : ""}${fill(route, request.parameters ?? {})}${queryText(request.query ?? {})}`,
      headers: {
        Accept: "application/json",
        ...(versioned ? { Authorization: `Bearer ${token}` } : {}),
        ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      writes,
      partial: request.partial ?? false,
      // The part behind the bar is what counts of a token.
      secrets: [token, ...token.split("|"), ...(request.secrets ?? [])],
      signal,
    };
    let waitedMs = 0;
    let resets = 0;
    for (;;) {
      if (versioned) waitedMs = await throttle.turn(waitedMs, signal);
      const started = performance.now();
      const { answer, error, broken } = await exchangeOnce(exchange, { fetch, timeoutMs, answerBytesMax });
      const status = answer?.status ?? error?.status ?? null;
      onCall?.({ method, route, status, failure: error?.failure ?? null, ms: performance.now() - started });
      if (answer !== null) {
        if (versioned) throttle.observe(answer.headers);
        return answer;
      }
      if (error.failure === "rate_limited") {
        const pauseMs = Math.max(error.retryAfterMs ?? PAUSE_MS_DEFAULT, PAUSE_MS_MIN);
        if (versioned) throttle.pause(pauseMs);
        if (!versioned || waitedMs + pauseMs > throttleMsMax) throw error;
        continue;
      }
      if (broken && method === "GET" && resets === 0) {
        resets += 1;
        continue;
      }
      throw error;
    }
  }

  /** The answer's JSON as `schema` has it. */
  async function ask<T>(request: CoolifyRequest, schema: z.ZodType<T>): Promise<T> {
    const answer = await send(request);
    const parsed = schema.safeParse(answer.json);
    if (parsed.success) return parsed.data;
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
    const at = path.length === 0 ? "" : ` at ${path.map(String).join(".")}`;
    throw new CoolifyError(
      "unexpected_response",
      `${request.method} ${request.route}: the answer is not what this version understands${at}: ${message}.`,
      { status: answer.status, mayHaveHappened: request.method !== "GET" && request.harmless !== true },
    );
  }

  return { ask, send };
}

export type Transport = ReturnType<typeof createTransport>;

/** When a 429 does not say how long: the rate limit's window is a minute. */
const PAUSE_MS_DEFAULT = 60_000;
/** So that a Retry-After of 0 does not become a storm. */
const PAUSE_MS_MIN = 1000;

function fill(route: string, parameters: Record<string, string>): string {
  return route.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parameters[name] ?? "";
    // "." and ".." would be taken out of the path, and an empty one would make it another route.
    if (value === "" || /^\.+$/.test(value) || value.length > 255) {
      throw unsafeValue([{ path: name, message: "must be an identifier" }]);
    }
    return encodeURIComponent(value);
  });
}

function queryText(query: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(query).filter(
    (pair): pair is [string, string | number | boolean] => pair[1] !== undefined,
  );
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  return text === "" ? "" : `?${text}`;
}

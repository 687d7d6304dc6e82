/** Why a registry could not be asked or did not tell; the list is closed, so that a caller can decide on each. */
export const registryFailures = [
  "unreachable",
  "timeout",
  "unauthorized",
  "denied",
  "invalid_reference",
  "rate_limited",
  "unexpected_answer",
  "server_error",
] as const;

export type RegistryFailure = (typeof registryFailures)[number];

/**
 * The only error the client throws. Its message names the registry and what to do, and holds neither credentials
 * nor anything a registry wrote.
 */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly failure: RegistryFailure;
  /** HTTP status, or null when there was no answer. */
  readonly status: number | null;
  /** Milliseconds the registry asked to wait, or null. */
  readonly retryAfterMs: number | null;

  constructor(
    failure: RegistryFailure,
    message: string,
    { status = null, retryAfterMs = null }: { status?: number | null; retryAfterMs?: number | null } = {},
  ) {
    super(message);
    this.failure = failure;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The error for an answer that is not what was asked for. */
export function failureOf(host: string, { status, headers }: { status: number; headers: Headers }): RegistryError {
  const fail = (failure: RegistryFailure, message: string) =>
    new RegistryError(failure, `${host}: ${message}`, { status, retryAfterMs: retryAfterMs(headers) });
  if (status >= 500) return fail("server_error", `the registry failed with status ${status}; try again later.`);
  switch (status) {
    case 401:
      return fail("unauthorized", `the registry wants other credentials; \`docker login ${host}\` stores them.`);
    case 403:
      return fail("denied", "the credentials may not read this image.");
    case 429:
      return fail("rate_limited", "the registry's limit of requests is reached; credentials may raise it.");
    default:
      return fail("unexpected_answer", `status ${status} is no answer of a registry; check the address.`);
  }
}

function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = value === "" ? Number.NaN : Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

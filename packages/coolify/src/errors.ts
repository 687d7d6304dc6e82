/** Why a call to Coolify failed; the list is closed, so that a caller can decide on each. */
export const coolifyFailures = [
  "unreachable",
  "timeout",
  "aborted",
  "unauthenticated",
  "missing_ability",
  "api_disabled",
  "address_not_allowed",
  "forbidden",
  "not_found",
  "method_changed",
  "already_exists",
  "domain_conflict",
  "invalid_request",
  "not_running",
  "not_cancellable",
  "queue_full",
  "rate_limited",
  "server_error",
  "unexpected_response",
  "unsafe_value",
] as const;

export type CoolifyFailure = (typeof coolifyFailures)[number];

/** One thing wrong with what was sent; `path` is Coolify's field name, empty when it named none. */
export interface FieldError {
  path: string;
  message: string;
}

/** A domain that another resource of the team holds. */
export interface DomainConflict {
  domain: string;
  resource_name: string;
  resource_uuid: string;
}

interface CoolifyErrorDetails {
  status?: number | null;
  retryAfterMs?: number | null;
  errors?: FieldError[];
  conflicts?: DomainConflict[];
  missingAbilities?: string[];
  mayHaveHappened?: boolean;
}

/**
 * The only error the client throws. The message is for users: no token, no values of environment variables, no
 * bodies. `mayHaveHappened` says that a write may have taken effect although its answer is lost or unreadable.
 */
export class CoolifyError extends Error {
  override readonly name = "CoolifyError";
  readonly failure: CoolifyFailure;
  /** HTTP status, or null when there was no answer. */
  readonly status: number | null;
  /** Milliseconds Coolify asked to wait, or null. */
  readonly retryAfterMs: number | null;
  readonly errors: FieldError[];
  readonly conflicts: DomainConflict[];
  readonly missingAbilities: string[];
  readonly mayHaveHappened: boolean;

  constructor(failure: CoolifyFailure, message: string, details: CoolifyErrorDetails = {}) {
    super(message);
    this.failure = failure;
    this.status = details.status ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.errors = details.errors ?? [];
    this.conflicts = details.conflicts ?? [];
    this.missingAbilities = details.missingAbilities ?? [];
    this.mayHaveHappened = details.mayHaveHappened ?? false;
  }
}

/** What a guard throws: nothing was sent. The message never repeats the value, which may be a secret. */
export function unsafeValue(errors: FieldError[]): CoolifyError {
  const text = errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  return new CoolifyError("unsafe_value", `Not sent to Coolify. ${text}`, { errors });
}

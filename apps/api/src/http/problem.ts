import type { Problem, ProblemCode, Violation } from "@agentpod/types";

/** Status and title of every code; docs/api-errors.md explains each. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: "Invalid request" },
  validation_failed: { status: 422, title: "Validation failed" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  body_too_large: { status: 413, title: "Body too large" },
  unauthorized: { status: 401, title: "Unauthorized" },
  forbidden: { status: 403, title: "Forbidden" },
  host_not_allowed: { status: 403, title: "Host not allowed" },
  origin_not_allowed: { status: 403, title: "Origin not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  resource_tier_not_found: { status: 404, title: "Resource tier not found" },
  flavor_not_found: { status: 404, title: "Flavor not found" },
  addon_not_found: { status: 404, title: "Addon not found" },
  container_tier_not_found: { status: 404, title: "Container tier not found" },
  container_tiers_sunset: { status: 410, title: "Container tiers are gone" },
  project_not_found: { status: 404, title: "Project not found" },
  provider_not_found: { status: 404, title: "Provider not found" },
  credentials_not_found: { status: 404, title: "Credentials not found" },
  conflict: { status: 409, title: "Conflict" },
  invalid_configuration: { status: 422, title: "Invalid configuration" },
  id_taken: { status: 409, title: "Id taken" },
  in_use: { status: 409, title: "In use" },
  idempotency_key_reused: { status: 422, title: "Idempotency key reused" },
  operation_in_progress: { status: 409, title: "Operation in progress" },
  runtime_mismatch: { status: 409, title: "Runtime mismatch" },
  not_running: { status: 409, title: "Not running" },
  gateway_unreachable: { status: 502, title: "Gateway unreachable" },
  runtime_unavailable: { status: 503, title: "Runtime unavailable" },
  storage_unavailable: { status: 503, title: "Storage unavailable" },
  not_ready: { status: 503, title: "Not ready" },
  internal: { status: 500, title: "Internal error" },
} as const satisfies Record<ProblemCode, { status: number; title: string }>;

export interface ProblemOptions extends ErrorOptions {
  /** Every finding, when there is more to say than the code. */
  errors?: readonly Violation[];
  /** With `operation_in_progress`: the operation that is running. */
  operationId?: string;
  /** Headers of the answer, such as `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
}

/** A failure the caller of the API is told about. `cause` is logged only, never answered. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: readonly Violation[] | undefined;
  readonly operationId: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  /** `detail` says what happened this time and what would fix it; it must be free of secrets. */
  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    super(detail ?? PROBLEMS[code].title, options);
    this.code = code;
    this.detail = detail;
    this.errors = options.errors;
    this.operationId = options.operationId;
    this.headers = options.headers;
  }
}

/** The body of an error's answer. */
export function toProblem(error: ApiError, requestId: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `/docs/errors#${error.code}`,
    title,
    status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code: error.code,
    requestId,
    // Clients older than problem details compare a 404's text, so it stays the plain title.
    error: status === 404 ? title : (error.detail ?? title),
    ...(error.errors === undefined ? {} : { errors: [...error.errors] }),
    ...(error.operationId === undefined ? {} : { operationId: error.operationId }),
  };
}

/** The whole answer, as `application/problem+json`. */
export function problemResponse(error: ApiError, requestId: string): Response {
  return new Response(JSON.stringify(toProblem(error, requestId)), {
    status: PROBLEMS[error.code].status,
    headers: { ...error.headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

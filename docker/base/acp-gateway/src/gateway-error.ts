import type { RpcErrorShape } from "./wire/index.ts";

/** Every code an error of the gateway can have, with its status and title. The list is closed. */
export const ERRORS = {
  invalid_request: { status: 400, title: "Invalid request" },
  invalid_json: { status: 400, title: "Invalid JSON" },
  host_not_allowed: { status: 421, title: "Host not allowed" },
  unauthorized: { status: 401, title: "A token is needed" },
  forbidden: { status: 403, title: "The token's scopes do not allow this" },
  origin_not_allowed: { status: 403, title: "Origin not allowed" },
  path_not_allowed: { status: 403, title: "Path outside the allowed folders" },
  install_not_allowed: { status: 403, title: "Installing agents is not allowed" },
  special_file: { status: 403, title: "Only files and folders are served" },
  file_not_permitted: { status: 403, title: "The file's permissions do not allow this" },
  not_found: { status: 404, title: "Not found" },
  agent_not_found: { status: 404, title: "Agent not found" },
  session_not_found: { status: 404, title: "Session not found" },
  prompt_not_found: { status: 404, title: "Prompt not found" },
  permission_not_found: { status: 404, title: "Permission request not found" },
  elicitation_not_found: { status: 404, title: "Elicitation not found" },
  terminal_not_found: { status: 404, title: "Terminal not found" },
  file_not_found: { status: 404, title: "File not found" },
  connection_not_found: { status: 404, title: "Connection not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  not_acceptable: { status: 406, title: "Not acceptable" },
  request_timeout: { status: 408, title: "The request took too long" },
  agent_not_installed: { status: 409, title: "Agent not installed" },
  already_resolved: { status: 409, title: "Already resolved" },
  idempotency_conflict: { status: 422, title: "Idempotency key used for another request" },
  not_supported: { status: 409, title: "The agent does not support this" },
  prompt_running: { status: 409, title: "A prompt is running" },
  stream_in_use: { status: 409, title: "The stream has a reader already" },
  session_closed: { status: 409, title: "Session closed" },
  file_conflict: { status: 409, title: "The path is in the way" },
  precondition_failed: { status: 412, title: "Precondition failed" },
  body_too_large: { status: 413, title: "Body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  range_not_satisfiable: { status: 416, title: "Range not satisfiable" },
  upgrade_required: { status: 426, title: "Upgrade required" },
  precondition_required: { status: 428, title: "Precondition required" },
  too_many_requests: { status: 429, title: "Too many requests" },
  too_many_sessions: { status: 429, title: "Too many sessions" },
  too_many_prompts: { status: 429, title: "Too many prompts are waiting" },
  too_many_processes: { status: 429, title: "Too many agent processes" },
  too_many_readers: { status: 429, title: "Too many readers" },
  too_many_connections: { status: 429, title: "Too many connections" },
  too_many_terminals: { status: 429, title: "Too many terminals" },
  internal: { status: 500, title: "Internal error" },
  agent_error: { status: 502, title: "The agent refused" },
  agent_exited: { status: 502, title: "The agent's process ended" },
  agent_protocol: { status: 502, title: "The agent broke the protocol" },
  install_failed: { status: 502, title: "The agent could not be installed" },
  auth_required: { status: 502, title: "The agent needs credentials" },
  agent_unavailable: { status: 503, title: "The agent cannot be started" },
  shutting_down: { status: 503, title: "The gateway is shutting down" },
  agent_timeout: { status: 504, title: "The agent did not answer in time" },
  no_space: { status: 507, title: "No space left" },
  storage_full: { status: 507, title: "The log cannot be written" },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with a request: a JSON pointer or parameter, a stable code, and what would do. */
export type Violation = { path: string; code: string; message: string; fix?: string };

type ErrorDetails = {
  errors?: readonly Violation[];
  /** What the agent answered, when it was the agent that refused. */
  rpc?: RpcErrorShape;
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
};

/** An error that a caller is told of, as problem+json over HTTP and as a JSON-RPC error over ACP. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, detail: string, details: ErrorDetails = {}) {
    super(detail);
    this.name = "GatewayError";
    this.code = code;
    this.details = details;
  }
}

import { CoolifyError, type CoolifyFailure } from "@agentpod/coolify";
import { redact } from "../redact.ts";
import { RuntimeError, type RuntimeFailure } from "../runtime.ts";

const MESSAGE_LENGTH_MAX = 600;
/** What Coolify itself asks for when its queue is full and it says so. */
const QUEUE_RETRY_MS = 60_000;

/**
 * What keeps AgentPod out of Coolify says nothing about the project: it passes as soon as somebody puts
 * it right, so it counts as transient like everything that may go better without a change of the project.
 */
const failures: Readonly<Record<CoolifyFailure, RuntimeFailure>> = {
  unreachable: "unavailable",
  timeout: "timeout",
  aborted: "timeout",
  unauthenticated: "unavailable",
  missing_ability: "unavailable",
  api_disabled: "unavailable",
  address_not_allowed: "unavailable",
  forbidden: "unavailable",
  not_found: "not_found",
  method_changed: "rejected",
  already_exists: "rejected",
  domain_conflict: "rejected",
  invalid_request: "rejected",
  not_running: "not_found",
  not_cancellable: "rejected",
  queue_full: "unavailable",
  rate_limited: "unavailable",
  server_error: "unavailable",
  unexpected_response: "unavailable",
  unsafe_value: "rejected",
};

/**
 * Asks Coolify once.
 * @param doing what is tried, for the message: `making the application`
 * @param secrets kept out of every message
 * @throws RuntimeError for everything Coolify can answer, and for no answer
 */
export async function ask<Answer>(
  doing: string,
  call: () => Promise<Answer>,
  secrets: readonly string[] = [],
): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw toRuntimeError(error, doing, secrets);
  }
}

/** As `ask`, with null for what is not there. */
export async function askFor<Answer>(doing: string, call: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CoolifyError && error.failure === "not_found") return null;
    throw toRuntimeError(error, doing, []);
  }
}

/** @returns the error itself when it is not Coolify's: that is a bug, not a state of the world */
export function toRuntimeError(error: unknown, doing: string, secrets: readonly string[] = []): unknown {
  if (!(error instanceof CoolifyError)) return error;
  const message = redact(`${doing}: ${describe(error)}`, secrets).slice(0, MESSAGE_LENGTH_MAX);
  const retryAfterMs = error.retryAfterMs ?? (error.failure === "queue_full" ? QUEUE_RETRY_MS : null);
  // No cause: the message says it all, and what else the error holds was not looked through for secrets.
  return new RuntimeError(failures[error.failure], message, retryAfterMs === null ? {} : { retryAfterMs });
}

function describe(error: CoolifyError): string {
  switch (error.failure) {
    case "aborted":
      return "broken off";
    case "domain_conflict": {
      const taken = error.conflicts.map(({ domain, resource_name }) => `${domain} belongs to ${resource_name}`);
      const which = taken.length > 0 ? taken.join(", ") : error.message;
      return `${which}; remove the domain there, in Coolify, or choose another name for the project`;
    }
    case "queue_full":
      return "the deployment queue of Coolify's server is full; it is tried again later";
    case "unexpected_response":
      return `${error.message} (is COOLIFY_URL the address of Coolify itself?)`;
    default:
      return error.message;
  }
}

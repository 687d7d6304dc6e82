import { RuntimeError, type RuntimeFailure } from "../runtime.ts";
import { redact } from "../redact.ts";

const MESSAGE_LENGTH_MAX = 600;

/** HTTP status the engine answered with; null when it did not answer. */
export function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  return typeof error.statusCode === "number" ? error.statusCode : null;
}

/** The engine's own words, without what dockerode puts around them. */
function engineMessage(error: Error): string {
  const json: unknown = "json" in error ? error.json : null;
  if (typeof json === "object" && json !== null && "message" in json && typeof json.message === "string") {
    return json.message.trim();
  }
  return error.message.replace(/^\(HTTP code \d+\) [^-]* - /, "").trim();
}

/**
 * What a failed call means to a caller of the runtime.
 * @param doing what was tried, such as `starting the sandbox`
 * @returns the error itself when it is no answer of an engine: that is a bug, not a state of the world
 */
export function toRuntimeError(error: unknown, doing: string, secrets: readonly string[]): unknown {
  if (error instanceof RuntimeError || !(error instanceof Error)) return error;
  const status = statusOf(error);
  const fail = (failure: RuntimeFailure, message: string) =>
    // The cause would take the engine's unredacted words along.
    new RuntimeError(failure, redact(message, secrets).slice(0, MESSAGE_LENGTH_MAX));
  if (status !== null) return fail(failureOf(status), `${doing}: ${engineMessage(error)}`);
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  return code === null ? error : fail("unavailable", whyUnreachable(code, error.message));
}

function failureOf(status: number): RuntimeFailure {
  if (status === 404) return "not_found";
  return status === 502 || status === 503 || status === 504 ? "unavailable" : "rejected";
}

function whyUnreachable(code: string, message: string): string {
  switch (code) {
    case "ENOENT":
      return `there is no Docker engine (${message}): start it, or set DOCKER_HOST to where it is`;
    case "EACCES":
    case "EPERM":
      return `this user may not use the Docker engine (${message}): add it to the group docker and log in again`;
    case "ECONNREFUSED":
      return `the Docker engine is not running (${message}): start it, or set DOCKER_HOST to where it is`;
    default:
      return `the Docker engine broke off (${message})`;
  }
}

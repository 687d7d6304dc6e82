import { CoolifyError, type CoolifyFailure, type DomainConflict, type FieldError } from "./errors.ts";

/** An answer whose body was read: `text` as it came, `json` undefined when it is not JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

interface Context {
  /** Method and route pattern, for the message. */
  call: string;
  /** Whether the request could have changed something. */
  writes: boolean;
  /** Whether a refusal can come after a part was done, as with several variables at once. */
  partial: boolean;
  /** What must not show in a message. */
  secrets: readonly string[];
}

/** The error for an answer that is not a success. */
export function failureOf(answer: Answer, { call, writes, partial, secrets }: Context): CoolifyError {
  const body = isRecord(answer.json) ? answer.json : null;
  const tidy = (value: unknown) => oneLine(redact(text(value), secrets));
  const said = tidy(body?.["message"]);
  const errors = fieldErrors(body?.["errors"], tidy);
  const failure = cause(answer.status, body, said);
  const missingAbilities = failure === "missing_ability" ? abilitiesIn(said) : [];
  const details = [...new Set(errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)))];
  const reason = [said, ...details].filter((part) => part !== "").join(" ");
  return new CoolifyError(failure, `${call}: ${explain(failure, answer.status, reason)}`, {
    status: answer.status,
    retryAfterMs: retryAfterMs(answer.headers),
    errors,
    conflicts: failure === "domain_conflict" ? conflictsIn(body?.["conflicts"], tidy) : [],
    missingAbilities,
    mayHaveHappened:
      writes && (failure === "server_error" || lost(failure, body) || (partial && answer.status === 422)),
  });
}

function cause(status: number, body: Record<string, unknown> | null, said: string): CoolifyFailure {
  if (status >= 500) return "server_error";
  if (status === 429) return /queue is full/i.test(said) ? "queue_full" : "rate_limited";
  // Proxies in front of Coolify answer with HTML or plain text. Theirs must never pass for Coolify's own word, least
  // of all a 404, which callers take for "deleted".
  if (body === null) return "unexpected_response";
  switch (status) {
    case 400:
      return badRequest(said);
    case 401:
      return "unauthenticated";
    case 403:
      return forbidden(said);
    case 404:
      return "docs" in body || said === "" ? "unexpected_response" : "not_found";
    case 405:
      return "method_changed";
    case 409:
      return Array.isArray(body["conflicts"]) ? "domain_conflict" : "already_exists";
    case 413:
    case 422:
      return "invalid_request";
    default:
      return "unexpected_response";
  }
}

function badRequest(said: string): CoolifyFailure {
  if (/is not running/i.test(said)) return "not_running";
  if (/cannot be cancelled/i.test(said)) return "not_cancellable";
  if (/^invalid token/i.test(said)) return "unauthenticated";
  return "invalid_request";
}

function forbidden(said: string): CoolifyFailure {
  if (/^API is disabled/i.test(said)) return "api_disabled";
  if (/not allowed to access the API/i.test(said)) return "address_not_allowed";
  if (abilitiesIn(said).length > 0) return "missing_ability";
  return "forbidden";
}

const hints: Partial<Record<CoolifyFailure, string>> = {
  unauthenticated: "The token is unknown or expired: create a new one in Coolify under Keys & Tokens.",
  missing_ability: "Give the token the missing ability in Coolify under Keys & Tokens.",
  api_disabled: "Enable the API in Coolify under Settings.",
  address_not_allowed: "Add this machine's address to the allowed IPs in Coolify's settings.",
  forbidden: "The token's owner must be an admin or owner of the team.",
};

function explain(failure: CoolifyFailure, status: number, reason: string): string {
  const hint = hints[failure];
  if (failure === "unexpected_response" && reason === "") {
    return status >= 300 && status < 400
      ? `redirected (${status}) instead of answering; use the address Coolify itself has, with the right scheme.`
      : `answered ${status}, and not as Coolify does; is this the address of Coolify?`;
  }
  return [`answered ${status}.`, reason, hint].filter((part) => part !== undefined && part !== "").join(" ");
}

/** Whether the answer leaves open if the request ever reached Coolify's own code. */
function lost(failure: CoolifyFailure, body: Record<string, unknown> | null): boolean {
  return failure === "unexpected_response" && body === null;
}

function abilitiesIn(said: string): string[] {
  const list = /^Missing required permissions?: (.+)$/i.exec(said)?.[1] ?? "";
  return list
    .split(",")
    .map((ability) => ability.trim())
    .filter((ability) => ability !== "");
}

type Tidy = (value: unknown) => string;

/** Coolify writes `errors` as `{field: [text]}`, `{field: text}` or `[text]`. */
function fieldErrors(errors: unknown, tidy: Tidy): FieldError[] {
  if (!isRecord(errors) && !Array.isArray(errors)) return [];
  return Object.entries(errors)
    .flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((message) => ({
        path: Array.isArray(errors) ? "" : tidy(key),
        message: tidy(message),
      })),
    )
    .filter(({ message }) => message !== "")
    .slice(0, 50);
}

function conflictsIn(conflicts: unknown, tidy: Tidy): DomainConflict[] {
  return (Array.isArray(conflicts) ? conflicts : []).filter(isRecord).map((conflict) => ({
    domain: tidy(conflict["domain"]),
    resource_name: tidy(conflict["resource_name"]),
    resource_uuid: tidy(conflict["resource_uuid"]),
  }));
}

function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = value === "" ? Number.NaN : Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** Replaces each secret long enough to be one; shorter ones would only make the text unreadable. */
function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((rest, secret) => rest.replaceAll(secret, "[hidden]"), text);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function oneLine(value: string): string {
  return value.replace(/\s+/g, " ").trim().slice(0, 500);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

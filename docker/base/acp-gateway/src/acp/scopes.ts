import { GatewayError } from "../gateway-error.ts";
import type { Caller, Scope } from "../types.ts";

const READING = [
  "initialize",
  "session/list",
  "session/load",
  "session/resume",
  "_gateway/session/attach",
  "_gateway/session/detach",
];
/** Credentials among them: those of the client's own new sessions. Where they reach others is `authenticate`'s to check. */
const PROMPTING = [
  "authenticate",
  "logout",
  "providers/list",
  ...["new", "close", "fork", "prompt", "set_config_option", "set_mode", "set_title"].map((name) => `session/${name}`),
];

/** As the routes of REST have them; what is passed on to an agent unread needs what its route needs. */
const SCOPES = new Map<string, Scope>([
  ...READING.map((method) => [method, "read"] as const),
  ...PROMPTING.map((method) => [method, "prompt"] as const),
]);

/** @throws GatewayError forbidden */
export function requireMethodScope(method: string, caller: Caller): void {
  requireScope(method, caller, SCOPES.get(method) ?? "admin");
}

/** @throws GatewayError forbidden */
export function requireScope(what: string, caller: Caller, scope: Scope): void {
  if (caller.scopes.has(scope)) return;
  throw new GatewayError("forbidden", `${what} needs a token with the scope ${scope}`);
}

import { GatewayError } from "../gateway-error.ts";
import type { Caller, Scope } from "../types.ts";

/** What a caller needs for a method; every other method needs `prompt`. */
const READING = new Set([
  "initialize",
  "session/list",
  "session/load",
  "session/resume",
  "_gateway/session/attach",
  "_gateway/session/detach",
]);

/** @throws GatewayError forbidden */
export function requireScope(method: string, caller: Caller): void {
  const scope: Scope = READING.has(method) ? "read" : "prompt";
  if (!caller.scopes.has(scope)) {
    throw new GatewayError("forbidden", `${method} needs a token with the scope ${scope}`);
  }
}

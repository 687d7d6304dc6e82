import { ApiError } from "./problem.ts";

/** What a caller may do. */
export const SCOPES = [
  // Not part of reading projects: who drives an agent can run whatever they like in its sandbox.
  "agents:use",
  "catalog:read",
  "catalog:write",
  "metrics:read",
  "projects:read",
  "projects:write",
  "providers:read",
  "providers:write",
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls. */
export interface Principal {
  id: string;
  scopes: ReadonlySet<Scope>;
}

/** Who sent no token, or one that is not known. */
export const ANONYMOUS: Principal = { id: "anonymous", scopes: new Set() };

export const SECURITY_SCHEME = "bearer";

/** A route's `security`: only a caller with `scope` gets in. */
export function requireScope(scope: Scope): [{ [SECURITY_SCHEME]: Scope[] }] {
  return [{ [SECURITY_SCHEME]: [scope] }];
}

/** A route's `security`: anyone gets in, without a token as well. */
export const openToAll: Record<string, string[]>[] = [];

/** @throws ApiError `unauthorized` for who is not known, `forbidden` for who may do other things only */
export function checkScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.has(scope)) return;
  if (principal !== ANONYMOUS) throw new ApiError("forbidden", `The token lacks the scope '${scope}'`);
  throw new ApiError("unauthorized", "Send the API token as `Authorization: Bearer <token>`", {
    headers: { "www-authenticate": 'Bearer realm="agentpod"' },
  });
}

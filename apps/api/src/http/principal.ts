/** What a caller may do. */
export const SCOPES = ["catalog:read", "catalog:write", "projects:read", "projects:write"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls. */
export interface Principal {
  id: string;
  scopes: ReadonlySet<Scope>;
}

export const SECURITY_SCHEME = "bearer";

/** A route's `security`: only a caller with `scope` gets in. */
export function requireScope(scope: Scope): [{ [SECURITY_SCHEME]: Scope[] }] {
  return [{ [SECURITY_SCHEME]: [scope] }];
}

/** A route's `security`: anyone gets in, without a token as well. */
export const openToAll: Record<string, string[]>[] = [];

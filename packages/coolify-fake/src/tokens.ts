import type { Ids } from "./ids.ts";

export type Ability = "root" | "read" | "read:sensitive" | "write" | "write:sensitive" | "deploy";

export interface Token {
  name: string;
  abilities: readonly Ability[];
  expired: boolean;
}

const ABILITIES = {
  all: ["read", "read:sensitive", "write", "write:sensitive", "deploy"],
  root: ["root"],
  read: ["read"],
  readSensitive: ["read", "read:sensitive"],
  write: ["write"],
  deploy: ["deploy"],
  readWrite: ["read", "write"],
  readDeploy: ["read", "deploy"],
  writeDeploy: ["write", "deploy"],
  readWriteDeploy: ["read", "write", "deploy"],
  expired: ["root"],
} as const satisfies Record<string, readonly Ability[]>;

export type TokenName = keyof typeof ABILITIES;

/** One token for each set of abilities a test asks for; `expired` is refused like a wrong one. */
export function createTokens(ids: Ids) {
  const texts = {} as Record<TokenName, string>;
  const known = new Map<string, Token>();
  for (const [index, name] of (Object.keys(ABILITIES) as TokenName[]).entries()) {
    const text = `${index + 1}|${ids.letters(48)}`;
    texts[name] = text;
    known.set(text, { name, abilities: ABILITIES[name], expired: name === "expired" });
  }
  return {
    texts,
    /** The token of an Authorization header, or null when there is no valid one. */
    find(header: string | null): Token | null {
      if (!header?.startsWith("Bearer ")) return null;
      const token = known.get(header.slice("Bearer ".length));
      return token && !token.expired ? token : null;
    },
  };
}

/** Abilities do not imply one another; only `root` passes everything. */
export function can(token: Token | null, ability: Ability): boolean {
  return token !== null && (token.abilities.includes("root") || token.abilities.includes(ability));
}

import { type Scope, SCOPES } from "../../../src/types.ts";

/** A token for each kind of caller. */
export const TOKENS = {
  main: "token-of-the-main-caller",
  other: "token-of-another-one",
  reader: "token-that-only-reads",
  prompter: "token-that-may-prompt",
};
export type TokenName = keyof typeof TOKENS;

export const SCOPES_OF: Record<TokenName, readonly Scope[]> = {
  main: SCOPES,
  other: SCOPES,
  reader: ["read"],
  prompter: ["read", "prompt"],
};

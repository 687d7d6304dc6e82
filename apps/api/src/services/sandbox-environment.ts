import type { Database } from "bun:sqlite";
import { getMeta, setMeta } from "../models/meta.ts";
import { raiseGenerations } from "../models/project.ts";

export type SandboxEnvironment = Readonly<Record<string, string>>;

/** Of the variables that sandboxes were last given; empty for none. */
const KEY = "sandbox_env_hash";

/**
 * Compares the variables that are configured for all sandboxes with those of the last start. Others
 * make every sandbox an outdated one, as a changed credential does: its next start makes it anew.
 * What is kept is a slow, salted hash, as values may be secrets that are easy to guess.
 * @returns whether they are others
 */
export function noteSandboxEnvironment(db: Database, variables: SandboxEnvironment): boolean {
  const known = getMeta(db, KEY) ?? "";
  const entries = Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(entries);
  if (entries.length === 0 ? known === "" : known !== "" && Bun.password.verifySync(text, known)) return false;
  const hash = entries.length === 0 ? "" : Bun.password.hashSync(text);
  db.transaction(() => {
    setMeta(db, KEY, hash);
    raiseGenerations(db);
  }).immediate();
  return true;
}

/** What of them a sandbox's log must not show: the values, and the passwords of those that are URLs. */
export function secretsOfEnvironment(variables: SandboxEnvironment): string[] {
  return Object.values(variables).flatMap((value) => {
    const password = URL.parse(value)?.password ?? "";
    return [...new Set([value, password, unescaped(password)])];
  });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import type { Database } from "bun:sqlite";
import { credentialContext } from "../models/provider-credentials.ts";
import { getSealedValues, replaceSeal, type SealedValue } from "../models/sealed-value.ts";
import { gatewayTokenContext } from "./gateway-token.ts";
import { type SecretBox, SecretBoxError } from "./secret-box.ts";
import { SecretKeyError } from "./secret-key.ts";

/** How many values one key sealed. */
export interface SealCount {
  /** `unknown` where a value does not say it in a known form. */
  keyId: string;
  gatewayTokens: number;
  credentials: number;
  /** How many of them the box opens. */
  opened: number;
}

/** All sealed values by the key that sealed them; the box's own first. */
export function countSeals(db: Database, box: SecretBox | undefined): SealCount[] {
  const counts = new Map<string, SealCount>();
  for (const value of getSealedValues(db)) {
    const keyId = keyIdOf(value);
    const count = counts.get(keyId) ?? { keyId, gatewayTokens: 0, credentials: 0, opened: 0 };
    count[value.table === "projects" ? "gatewayTokens" : "credentials"] += 1;
    if (box !== undefined && open(box, value) !== undefined) count.opened += 1;
    counts.set(keyId, count);
  }
  const rank = ({ keyId }: SealCount) => `${keyId === box?.keyId ? 0 : 1}${keyId}`;
  return [...counts.values()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

export const totalOf = ({ gatewayTokens, credentials }: SealCount): number => gatewayTokens + credentials;

/** Whether at least one value opens. */
export const opensAny = (db: Database, box: SecretBox): boolean =>
  getSealedValues(db).some((value) => open(box, value) !== undefined);

/** How many values are still to be sealed with `next`. @throws SecretKeyError when neither key opens some */
export function countToReseal(db: Database, current: SecretBox, next: SecretBox): number {
  const rest = getSealedValues(db).filter((value) => open(next, value) === undefined);
  const lost = rest.filter((value) => open(current, value) === undefined);
  if (lost.length === 0) return rest.length;
  const keys = [...new Set(lost.map(keyIdOf))].join(", ");
  const fix = "bring that key back first, or delete what it sealed: credentials with the API, projects with theirs";
  throw new SecretKeyError(
    `${lost.length} stored secrets do not open with the present key ${current.keyId} (sealed with ${keys}); ${fix}. Nothing was changed.`,
  );
}

/** Seals with `next` what `current` sealed; inside a transaction. */
export function resealAll(db: Database, current: SecretBox, next: SecretBox): void {
  for (const value of getSealedValues(db)) {
    if (open(next, value) !== undefined) continue;
    const context = contextOf(value);
    replaceSeal(db, value, next.seal(current.open(value.sealed, context), context), next.keyId);
  }
}

function open(box: SecretBox, value: SealedValue): string | undefined {
  try {
    return box.open(value.sealed, contextOf(value));
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}

const contextOf = ({ table, id }: SealedValue): string =>
  table === "projects" ? gatewayTokenContext(id) : credentialContext(id);

const keyIdOf = ({ sealed }: SealedValue): string => /^v1\.([0-9a-f]{16})\./.exec(sealed)?.[1] ?? "unknown";

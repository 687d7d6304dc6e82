import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";
import { isUniqueConflict, no, ok, type Result } from "./result.ts";
import { isoTime, NOW } from "./row.ts";

/** What seals and opens values; the secret box is one. */
export interface Sealer {
  keyId: string;
  /** `context` is needed again to open, so that a sealed value is of no use elsewhere. */
  seal: (text: string, context: string) => string;
  open: (sealed: string, context: string) => string;
}

/** A stored credential. Its value is not among its fields: see `revealProviderCredential`. */
export interface ProviderCredential {
  id: string;
  providerId: string;
  /** Unique for the provider. */
  label: string;
  /** The key that sealed the value. */
  keyId: string;
  createdAt: string;
  updatedAt: string;
}

const select = `
  SELECT id, provider_id AS "providerId", label, key_id AS "keyId", created_at AS "createdAt", updated_at AS "updatedAt"
  FROM provider_credentials`;

/** By provider and label; those of one provider when it is given. */
export function getProviderCredentials(db: Database, providerId?: string): ProviderCredential[] {
  const order = "ORDER BY provider_id, label";
  const rows =
    providerId === undefined
      ? prepared<ProviderCredential, []>(db, `${select} ${order}`).all()
      : prepared<ProviderCredential, [string]>(db, `${select} WHERE provider_id = ?1 ${order}`).all(providerId);
  return rows.map(toCredential);
}

export function getProviderCredentialById(db: Database, id: string): ProviderCredential | undefined {
  const row = prepared<ProviderCredential, [string]>(db, `${select} WHERE id = ?1`).get(id);
  return row === null ? undefined : toCredential(row);
}

export function createProviderCredential(
  db: Database,
  sealer: Sealer,
  { providerId, label, value }: { providerId: string; label: string; value: string },
): Result<ProviderCredential, "label_taken" | "provider_not_found"> {
  const id = Bun.randomUUIDv7();
  try {
    prepared(
      db,
      `INSERT INTO provider_credentials (id, provider_id, label, encrypted_value, key_id, created_at, updated_at)
       VALUES ($id, $providerId, $label, $sealed, $keyId, ${NOW}, ${NOW})`,
    ).run({ id, providerId, label, sealed: sealer.seal(value, credentialContext(id)), keyId: sealer.keyId });
  } catch (error) {
    if (isUniqueConflict(error)) return no("label_taken");
    if (isMissingParent(error)) return no("provider_not_found");
    throw error;
  }
  const credential = getProviderCredentialById(db, id);
  return credential === undefined ? no("provider_not_found") : ok(credential);
}

export function updateProviderCredential(
  db: Database,
  sealer: Sealer,
  id: string,
  { label, value }: { label?: string | undefined; value?: string | undefined },
): Result<ProviderCredential, "not_found" | "label_taken"> {
  const sealed = value === undefined ? null : sealer.seal(value, credentialContext(id));
  try {
    prepared(
      db,
      `UPDATE provider_credentials SET label = coalesce($label, label), updated_at = ${NOW},
         encrypted_value = coalesce($sealed, encrypted_value), key_id = coalesce($keyId, key_id)
       WHERE id = $id`,
    ).run({ id, label: label ?? null, sealed, keyId: sealed === null ? null : sealer.keyId });
  } catch (error) {
    if (isUniqueConflict(error)) return no("label_taken");
    throw error;
  }
  const credential = getProviderCredentialById(db, id);
  return credential === undefined ? no("not_found") : ok(credential);
}

/** False when there is none. */
export function deleteProviderCredential(db: Database, id: string): boolean {
  return prepared(db, "DELETE FROM provider_credentials WHERE id = ?1").run(id).changes > 0;
}

/** The plain value, for a sandbox's environment alone. Fails as the sealer does on another key's value. */
export function revealProviderCredential(db: Database, sealer: Sealer, id: string): string | undefined {
  const sql = `SELECT encrypted_value AS "sealed" FROM provider_credentials WHERE id = ?1`;
  const row = prepared<{ sealed: string }, [string]>(db, sql).get(id);
  return row === null ? undefined : sealer.open(row.sealed, credentialContext(id));
}

/** What a credential's value is sealed for. */
export const credentialContext = (id: string): string => `provider-credential:${id}`;

const isMissingParent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "SQLITE_CONSTRAINT_FOREIGNKEY";

const toCredential = (row: ProviderCredential): ProviderCredential => ({
  ...row,
  createdAt: isoTime(row.createdAt),
  updatedAt: isoTime(row.updatedAt),
});

import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** A sealed value and the row that holds it. */
export interface SealedValue {
  table: "projects" | "provider_credentials";
  id: string;
  sealed: string;
}

/** All sealed values there are. */
export function getSealedValues(db: Database): SealedValue[] {
  const sql = `
    SELECT 'projects' AS "table", id, gateway_token AS "sealed" FROM projects WHERE gateway_token IS NOT NULL
    UNION ALL
    SELECT 'provider_credentials', id, encrypted_value FROM provider_credentials`;
  return prepared<SealedValue, []>(db, sql).all();
}

/** Puts another seal around a value. Nothing else of its row changes, for it is the same value. */
export function replaceSeal(db: Database, { table, id }: SealedValue, sealed: string, keyId: string): void {
  if (table === "projects") {
    prepared(db, "UPDATE projects SET gateway_token = ?1 WHERE id = ?2").run(sealed, id);
  } else {
    const sql = "UPDATE provider_credentials SET encrypted_value = ?1, key_id = ?2 WHERE id = ?3";
    prepared(db, sql).run(sealed, keyId, id);
  }
}

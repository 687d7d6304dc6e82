import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

export function getMeta(db: Database, key: string): string | undefined {
  return prepared<{ value: string }, [string]>(db, "SELECT value FROM meta WHERE key = ?1").get(key)?.value;
}

export function setMeta(db: Database, key: string, value: string): void {
  const sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
  prepared(db, sql).run(key, value);
}

/** Tells this installation from every other: random, made once, kept with the database. Fit for names. */
export function getInstanceId(db: Database): string {
  const sql = "INSERT INTO meta (key, value) VALUES ('instance_id', ?1) ON CONFLICT (key) DO NOTHING";
  const known = getMeta(db, "instance_id");
  if (known !== undefined) return known;
  prepared(db, sql).run(crypto.randomUUID().replaceAll("-", "").slice(0, 16));
  return getInstanceId(db);
}

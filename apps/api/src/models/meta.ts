import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

export function getMeta(db: Database, key: string): string | undefined {
  return prepared<{ value: string }, [string]>(db, "SELECT value FROM meta WHERE key = ?1").get(key)?.value;
}

export function setMeta(db: Database, key: string, value: string): void {
  const sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
  prepared(db, sql).run(key, value);
}

import type { Database } from "bun:sqlite";
import { prepared } from "./prepared.ts";

/**
 * `last_seq`: no event has had a higher number, also when all were removed. `lost_through`: of a log
 * that was lost. `boot_id`: the start of the system under which it was written.
 */
type MetaName = "last_seq" | "lost_through" | "boot_id";

export function readMetaText(db: Database, name: MetaName): string | undefined {
  return prepared<{ value: string }, [string]>(db, "SELECT value FROM meta WHERE name = ?").get(name)?.value;
}

/** 0 when it was never written. */
export const readMeta = (db: Database, name: MetaName): number => Number(readMetaText(db, name) ?? 0);

export function writeMeta(db: Database, name: MetaName, value: number | string): void {
  const sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
  prepared(db, sql).run(name, String(value));
}

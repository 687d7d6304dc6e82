import type { Database } from "bun:sqlite";
import { prepared } from "./prepared.ts";

/** `last_seq`: no event has had a higher number, also when all were removed. `lost_through`: of a log that was lost. */
type MetaName = "last_seq" | "lost_through";

export function readMeta(db: Database, name: MetaName): number {
  const row = prepared<{ value: string }, [string]>(db, "SELECT value FROM meta WHERE name = ?").get(name);
  return Number(row?.value ?? 0);
}

export function writeMeta(db: Database, name: MetaName, value: number): void {
  prepared(db, "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(
    name,
    String(value),
  );
}

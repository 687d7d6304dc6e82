import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** How many operations are at work, and how many wait for their turn. */
export function countActiveOperations(db: Database): { active: number; queued: number } {
  const row = prepared<{ active: number | null; queued: number | null }, []>(
    db,
    `SELECT sum(status = 'running') AS "active", sum(status = 'pending') AS "queued"
     FROM operations WHERE status IN ('pending', 'running')`,
  ).get();
  return { active: row?.active ?? 0, queued: row?.queued ?? 0 };
}

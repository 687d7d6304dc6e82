import type { LegacyUse } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** Adds to what is known of the same caller, client, route and outcome. */
export function addLegacyUse(db: Database, use: LegacyUse): void {
  prepared<unknown, [LegacyUse]>(
    db,
    `INSERT INTO legacy_usage (caller, client, route, outcome, count, first_used_at, last_used_at)
     VALUES ($caller, $client, $route, $outcome, $count, $firstUsedAt, $lastUsedAt)
     ON CONFLICT (caller, client, route, outcome) DO UPDATE SET
       count = count + excluded.count,
       first_used_at = min(first_used_at, excluded.first_used_at),
       last_used_at = max(last_used_at, excluded.last_used_at)`,
  ).run({ ...use });
}

/** Every use, the latest first. */
export function listLegacyUsage(db: Database): LegacyUse[] {
  return prepared<LegacyUse, []>(
    db,
    `SELECT caller, client, route, outcome, count, first_used_at AS "firstUsedAt", last_used_at AS "lastUsedAt"
     FROM legacy_usage ORDER BY last_used_at DESC, caller, client, route, outcome`,
  ).all();
}

/** Since when uses are counted: when the table was made. ISO 8601, UTC. */
export function legacyUsageSince(db: Database): string {
  const row = prepared<{ since: string }, []>(
    db,
    `SELECT applied_at AS "since" FROM schema_migrations WHERE id = 5`,
  ).get();
  if (row === null) throw new Error("the migration that made legacy_usage is not recorded");
  return row.since;
}

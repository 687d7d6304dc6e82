import type { Database } from "bun:sqlite";
import { ProjectStatus } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";

/** How many projects have each status, those that none has included. */
export function countProjectsByStatus(db: Database): Record<ProjectStatus, number> {
  const rows = prepared<{ status: ProjectStatus; count: number }, []>(
    db,
    `SELECT current_status AS "status", count(*) AS "count" FROM projects GROUP BY current_status`,
  ).all();
  const counts = new Map(rows.map(({ status, count }) => [status, count]));
  const all = ProjectStatus.options.map((status) => [status, counts.get(status) ?? 0] as const);
  return Object.fromEntries(all) as Record<ProjectStatus, number>;
}

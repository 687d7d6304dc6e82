import type { Database } from "bun:sqlite";
import type { ProjectEvent } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import { isoTime, jsonObject } from "./row.ts";

export interface NewEvent {
  projectId: string;
  operationId?: string | null | undefined;
  type: ProjectEvent["type"];
  data?: Record<string, unknown> | undefined;
}

type Row = Omit<ProjectEvent, "data"> & { data: string };

const fields = `id, project_id AS "projectId", operation_id AS "operationId", type, data, created_at AS "createdAt"`;

const append = `INSERT INTO events (project_id, operation_id, type, data)
  VALUES ($projectId, $operationId, $type, $data) RETURNING ${fields}`;

/** Adds to the end of the log. Ids only grow and are never used again, also after `trimEvents`. */
export function appendEvent(db: Database, { projectId, operationId = null, type, data = {} }: NewEvent): ProjectEvent {
  const row = prepared<Row>(db, append).get({ projectId, operationId, type, data: JSON.stringify(data) });
  if (row === null) throw new Error("the event was not stored");
  return toEvent(row);
}

/** In order, those after the id `after`; at most `limit`; of one project when it is given. */
export function listEvents(
  db: Database,
  { projectId, after, limit }: { projectId?: string | undefined; after: number; limit: number },
): ProjectEvent[] {
  const select = `SELECT ${fields} FROM events WHERE id > $after`;
  const order = "ORDER BY id LIMIT $limit";
  const rows =
    projectId === undefined
      ? prepared<Row>(db, `${select} ${order}`).all({ after, limit })
      : prepared<Row>(db, `${select} AND project_id = $projectId ${order}`).all({ after, limit, projectId });
  return rows.map(toEvent);
}

/** Id of the first event still there. */
export function oldestEventId(db: Database): number | undefined {
  return prepared<{ id: number | null }, []>(db, `SELECT min(id) AS "id" FROM events`).get()?.id ?? undefined;
}

/** Id of the last event ever appended, trimmed or not; 0 before the first. */
export function latestEventId(db: Database): number {
  const sql = `SELECT seq AS "id" FROM sqlite_sequence WHERE name = 'events'`;
  return prepared<{ id: number }, []>(db, sql).get()?.id ?? 0;
}

/**
 * Drops all but the last `keep` events, at most `atMost` of them so that its cost has a bound, and says
 * how many went.
 */
export function trimEvents(db: Database, { keep, atMost = 10_000 }: { keep: number; atMost?: number }): number {
  const sql = "DELETE FROM events WHERE id <= ?1 AND id < (SELECT min(id) FROM events) + ?2";
  return prepared(db, sql).run(latestEventId(db) - keep, atMost).changes;
}

const toEvent = (row: Row): ProjectEvent => ({
  ...row,
  data: jsonObject(row.data),
  createdAt: isoTime(row.createdAt),
});

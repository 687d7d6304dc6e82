import type { Database } from "bun:sqlite";
import type { OperationStep } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import { isoTime, isoTimeOrNull, NOW } from "./row.ts";

/** Records that a step is about to run; returns its place among the operation's steps, from 1 on. */
export function beginStep(
  db: Database,
  step: { operationId: string; attempt: number; name: string },
): { position: number } {
  const sql = `
    INSERT INTO operation_steps (operation_id, position, attempt, name, started_at)
    SELECT $operationId, coalesce(max(position), 0) + 1, $attempt, $name, ${NOW}
    FROM operation_steps WHERE operation_id = $operationId
    RETURNING position`;
  const row = prepared<{ position: number }>(db, sql).get(step);
  if (row === null) throw new Error("the step was not stored");
  return row;
}

export function endStep(
  db: Database,
  step: { operationId: string; position: number; outcome: "succeeded" | "failed"; errorCode: string | null },
): void {
  const sql = `
    UPDATE operation_steps SET finished_at = ${NOW}, outcome = $outcome, error_code = $errorCode
    WHERE operation_id = $operationId AND position = $position`;
  prepared(db, sql).run(step);
}

/** In the order they ran. One that is at work, or was cut off, has no end. */
export function listSteps(db: Database, operationId: string): OperationStep[] {
  const sql = `
    SELECT name, attempt, started_at AS "startedAt", finished_at AS "finishedAt", outcome, error_code AS "errorCode"
    FROM operation_steps WHERE operation_id = ?1 ORDER BY position`;
  return prepared<OperationStep, [string]>(db, sql)
    .all(operationId)
    .map((row) => ({ ...row, startedAt: isoTime(row.startedAt), finishedAt: isoTimeOrNull(row.finishedAt) }));
}

/** Of a project's operations; the operations themselves stay. */
export function deleteSteps(db: Database, projectId: string): void {
  const sql = "DELETE FROM operation_steps WHERE operation_id IN (SELECT id FROM operations WHERE project_id = ?1)";
  prepared(db, sql).run(projectId);
}

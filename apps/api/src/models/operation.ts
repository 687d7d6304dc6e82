import type { Database } from "bun:sqlite";
import type { Operation, OperationKind, OperationStatus } from "@agentpod/types";
import { prepared } from "../db/prepared.ts";
import { assignments, insertion, isoTime, isoTimeOrNull, jsonObject } from "./row.ts";

/** An operation with what only the control plane knows of it. */
export type OperationRecord = Operation & {
  /** What it was asked for with; free of secrets. */
  input: Record<string, unknown>;
  /** Not to be tried again before; ISO 8601, UTC. */
  retryAt: string | null;
};

type Changeable = Omit<OperationRecord, "id" | "projectId" | "kind" | "createdAt">;
/** Absent and `undefined` fields stay as they are. */
export type OperationPatch = { [Field in keyof Changeable]?: Changeable[Field] | undefined };

export interface NewOperation {
  /** A UUIDv7 when absent. */
  id?: string | undefined;
  projectId: string;
  kind: OperationKind;
  input?: Record<string, unknown> | undefined;
}

type Row = Omit<OperationRecord, "input" | "error"> & {
  input: string;
  errorCode: string | null;
  errorMessage: string | null;
};

const columns = {
  status: "status",
  step: "step",
  input: "input",
  attempt: "attempt",
  retryAt: "retry_at",
  errorCode: "error_code",
  errorMessage: "error_message",
  startedAt: "started_at",
  finishedAt: "finished_at",
};

const select = `
  SELECT id, project_id AS "projectId", kind, status, step, input, attempt, retry_at AS "retryAt",
    error_code AS "errorCode", error_message AS "errorMessage",
    created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt"
  FROM operations`;

/** The words of the index that allows one of these a project. */
const active = "status IN ('pending', 'running')";

/** The new operation is `pending`. Refused, with the other's id, while the project has an active one. */
export function insertOperation(
  db: Database,
  { id = Bun.randomUUIDv7(), projectId, kind, input = {} }: NewOperation,
): { ok: true; value: OperationRecord } | { ok: false; reason: "operation_in_progress"; operationId: string } {
  return db
    .transaction(() => {
      const running = getActiveOperation(db, projectId);
      if (running !== undefined) {
        return { ok: false as const, reason: "operation_in_progress" as const, operationId: running.id };
      }
      const status: OperationStatus = "pending";
      const entry = { id, projectId, kind, status, input, createdAt: new Date().toISOString() };
      const insert = insertion(
        { id: "id", projectId: "project_id", kind: "kind", createdAt: "created_at", ...columns },
        entry,
      );
      prepared(db, `INSERT INTO operations (${insert.names}) VALUES (${insert.marks})`).run(insert.values);
      const value = getOperation(db, id);
      if (value === undefined) throw new Error(`operation ${id} vanished while it was made`);
      return { ok: true as const, value };
    })
    .immediate();
}

export function getOperation(db: Database, id: string): OperationRecord | undefined {
  return one(db, `${select} WHERE id = ?1`, id);
}

/** The one that is pending or running. */
export function getActiveOperation(db: Database, projectId: string): OperationRecord | undefined {
  return one(db, `${select} WHERE project_id = ?1 AND ${active}`, projectId);
}

/** The project's newest, active or not. */
export function latestOperation(db: Database, projectId: string): OperationRecord | undefined {
  return one(db, `${select} WHERE project_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1`, projectId);
}

/** Everything that is pending or running, oldest first. */
export function listActiveOperations(db: Database): OperationRecord[] {
  return prepared<Row, []>(db, `${select} WHERE ${active} ORDER BY created_at, id`).all().map(toRecord);
}

/** The operation after the change; undefined when there is none. */
export function updateOperation(db: Database, id: string, patch: OperationPatch): OperationRecord | undefined {
  const { set, values } = assignments(columns, withFlatError(patch));
  if (set !== "") prepared(db, `UPDATE operations SET ${set} WHERE id = $id`).run({ ...values, id });
  return getOperation(db, id);
}

/** What the API may show. */
export function toOperation(record: OperationRecord): Operation {
  const { id, projectId, kind, status, step, attempt, error, createdAt, startedAt, finishedAt } = record;
  return { id, projectId, kind, status, step, attempt, error, createdAt, startedAt, finishedAt };
}

function one(db: Database, sql: string, value: string): OperationRecord | undefined {
  const row = prepared<Row, [string]>(db, sql).get(value);
  return row === null ? undefined : toRecord(row);
}

function withFlatError({ error, ...rest }: OperationPatch) {
  return error === undefined ? rest : { ...rest, errorCode: error?.code ?? null, errorMessage: error?.message ?? null };
}

function toRecord({ errorCode, errorMessage, ...row }: Row): OperationRecord {
  return {
    ...row,
    input: jsonObject(row.input),
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? "" },
    retryAt: isoTimeOrNull(row.retryAt),
    createdAt: isoTime(row.createdAt),
    startedAt: isoTimeOrNull(row.startedAt),
    finishedAt: isoTimeOrNull(row.finishedAt),
  };
}

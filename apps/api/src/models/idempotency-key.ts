import type { Database } from "bun:sqlite";
import { prepared } from "../db/prepared.ts";

/** What a request with a key was answered. Times are ISO 8601, UTC, with milliseconds. */
export interface IdempotencyKeyRecord {
  /** Id of the principal that sent it; each has keys of its own. */
  caller: string;
  key: string;
  /** Tells the request from any other one with the same key. */
  fingerprint: string;
  projectId: string;
  status: number;
  /** The answer's JSON, free of secrets. */
  answer: string;
  createdAt: string;
  expiresAt: string;
}

const select = `
  SELECT caller, key, fingerprint, project_id AS "projectId", status, answer,
    created_at AS "createdAt", expires_at AS "expiresAt"
  FROM idempotency_keys WHERE caller = ?1 AND key = ?2`;

const put = `
  INSERT OR REPLACE INTO idempotency_keys
    (caller, key, fingerprint, project_id, status, answer, created_at, expires_at)
  VALUES ($caller, $key, $fingerprint, $projectId, $status, $answer, $createdAt, $expiresAt)`;

const drop = `
  DELETE FROM idempotency_keys WHERE (caller, key) IN (
    SELECT caller, key FROM idempotency_keys WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`;

/** Expired or not. */
export function getIdempotencyKey(
  db: Database,
  { caller, key }: Pick<IdempotencyKeyRecord, "caller" | "key">,
): IdempotencyKeyRecord | undefined {
  return prepared<IdempotencyKeyRecord, [string, string]>(db, select).get(caller, key) ?? undefined;
}

/** Takes the place of an earlier record of the same caller and key. */
export function putIdempotencyKey(db: Database, record: IdempotencyKeyRecord): void {
  prepared(db, put).run({ ...record });
}

/** Deletes those that expired by `now`, the oldest first and at most `limit`; returns how many. */
export function deleteExpiredIdempotencyKeys(db: Database, { now, limit }: { now: string; limit: number }): number {
  return prepared(db, drop).run(now, limit).changes;
}

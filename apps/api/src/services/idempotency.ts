import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { ApiError } from "../http/problem.ts";
import { deleteExpiredIdempotencyKeys, getIdempotencyKey, putIdempotencyKey } from "../models/idempotency-key.ts";
import { getProjectById } from "../models/project.ts";
import type { Accepted } from "./project-manager.ts";

/** A request that its caller may send again without its being done again. */
export interface KeyedRequest {
  /** Id of the principal; no caller meets another's keys. */
  caller: string;
  key: string;
  /** From `fingerprintOf`. */
  fingerprint: string;
  /** Of its answer. */
  status: number;
}

/** How long a key answers what it answered first. */
const KEY_TTL_MS = 24 * 3_600_000;
/** So that a write's cost has a bound, while more expire with each write than it adds. */
const EXPIRED_PER_WRITE = 100;

/** What requests with a key were answered, for when they come again. */
export function createIdempotency({ db, now }: { db: Database; now: () => Date }) {
  return {
    /**
     * The first answer, while the key lasts: 24 hours, and no longer than its project. A finished delete
     * releases every key of the project but the delete's own, which may still be asked how it went.
     * @throws ApiError `idempotency_key_reused` when another request came with the key
     */
    find(request: KeyedRequest): Accepted | undefined {
      const record = getIdempotencyKey(db, request);
      if (record === undefined || record.expiresAt <= now().toISOString()) return undefined;
      // Only `record` writes it. One from before an upgrade may lack what is new, as it did when it was given.
      const answer = JSON.parse(record.answer) as Accepted;
      if (answer.operation?.kind !== "delete" && getProjectById(db, record.projectId) === undefined) return undefined;
      if (record.fingerprint === request.fingerprint) return { ...answer, replayed: true };
      throw new ApiError(
        "idempotency_key_reused",
        "This Idempotency-Key came with another request before; send the same method, path and body, or a new key.",
      );
    },

    /** Call inside the transaction of the change, so that neither is there without the other. */
    record({ caller, key, fingerprint, status }: KeyedRequest, answer: Accepted): void {
      const time = now();
      deleteExpiredIdempotencyKeys(db, { now: time.toISOString(), limit: EXPIRED_PER_WRITE });
      putIdempotencyKey(db, {
        caller,
        key,
        fingerprint,
        projectId: answer.project.id,
        status,
        answer: JSON.stringify(answer),
        createdAt: time.toISOString(),
        expiresAt: new Date(time.getTime() + KEY_TTL_MS).toISOString(),
      });
    },
  };
}

/** The same for requests that ask for the same: the order of a body's fields says nothing. */
export function fingerprintOf(method: string, path: string, body?: unknown): string {
  const sorted = JSON.stringify(body, (_, value: unknown) => (isObject(value) ? withSortedKeys(value) : value));
  return createHash("sha256")
    .update(JSON.stringify([method, path, sorted ?? null]))
    .digest("base64url");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withSortedKeys(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import {
  deleteExpiredIdempotencyKeys,
  getIdempotencyKey,
  putIdempotencyKey,
} from "../../src/models/idempotency-key.ts";

const newDatabase = () => openDatabase(":memory:", { migrate: true });
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const record = (key: string, expiresAt = at(30)) => ({
  caller: "c1",
  key,
  fingerprint: "f",
  projectId: "p1",
  status: 201,
  answer: "{}",
  createdAt: at(0),
  expiresAt,
});

describe("idempotency keys", () => {
  test("are each caller's own", () => {
    const db = newDatabase();
    putIdempotencyKey(db, record("k"));
    putIdempotencyKey(db, { ...record("k"), caller: "c2", projectId: "p2" });
    expect(getIdempotencyKey(db, { caller: "c1", key: "k" })).toEqual(record("k"));
    expect(getIdempotencyKey(db, { caller: "c2", key: "k" })?.projectId).toBe("p2");
    expect(getIdempotencyKey(db, { caller: "c3", key: "k" })).toBeUndefined();
  });

  test("give way to a later record of the same caller and key", () => {
    const db = newDatabase();
    putIdempotencyKey(db, record("k"));
    putIdempotencyKey(db, { ...record("k"), projectId: "p2", expiresAt: at(60) });
    expect(getIdempotencyKey(db, { caller: "c1", key: "k" })).toMatchObject({ projectId: "p2", expiresAt: at(60) });
  });

  test("are deleted once expired, the oldest first and no more than asked for", () => {
    const db = newDatabase();
    for (const second of [5, 3, 1, 4, 2]) putIdempotencyKey(db, record(`k${second}`, at(second)));
    const left = () => [1, 2, 3, 4, 5].filter((second) => getIdempotencyKey(db, { caller: "c1", key: `k${second}` }));
    expect(deleteExpiredIdempotencyKeys(db, { now: at(4), limit: 3 })).toBe(3);
    expect(left()).toEqual([4, 5]);
    expect(deleteExpiredIdempotencyKeys(db, { now: at(4), limit: 3 })).toBe(1);
    expect(left()).toEqual([5]);
    expect(deleteExpiredIdempotencyKeys(db, { now: at(4), limit: 3 })).toBe(0);
  });
});

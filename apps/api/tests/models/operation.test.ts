import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { Operation } from "@agentpod/types";
import { openDatabase } from "../../src/db/open.ts";
import {
  getActiveOperation,
  getOperation,
  insertOperation,
  latestOperation,
  listActiveOperations,
  toOperation,
  updateOperation,
} from "../../src/models/index.ts";

const newDatabase = () => openDatabase(":memory:", { migrate: true });

function inserted(db: ReturnType<typeof newDatabase>, projectId: string) {
  const result = insertOperation(db, { projectId, kind: "create", input: { start: true } });
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

describe("operations", () => {
  test("start pending, with what they were asked for", () => {
    const db = newDatabase();
    const operation = inserted(db, "p1");
    expect(operation).toMatchObject({
      projectId: "p1",
      kind: "create",
      status: "pending",
      step: null,
      attempt: 0,
      input: { start: true },
      error: null,
      retryAt: null,
      startedAt: null,
      finishedAt: null,
    });
    expect(getOperation(db, operation.id)).toEqual(operation);
    expect(getOperation(db, "nope")).toBeUndefined();
  });

  test("are one at a time for a project, pending or running", () => {
    const db = newDatabase();
    const { id } = inserted(db, "p1");
    const refused = { ok: false, reason: "operation_in_progress", operationId: id } as const;
    expect(insertOperation(db, { projectId: "p1", kind: "stop" })).toEqual(refused);
    updateOperation(db, id, { status: "running" });
    expect(insertOperation(db, { projectId: "p1", kind: "stop" })).toEqual(refused);
    inserted(db, "p2");
    expect(() =>
      db.run("INSERT INTO operations (id, project_id, kind, status) VALUES ('x', 'p1', 'stop', 'pending')"),
    ).toThrow("UNIQUE");
    updateOperation(db, id, { status: "failed", finishedAt: new Date().toISOString() });
    const next = insertOperation(db, { projectId: "p1", kind: "stop" });
    expect(next.ok).toBe(true);
    expect(latestOperation(db, "p1")?.kind).toBe("stop");
    expect(latestOperation(db, "nope")).toBeUndefined();
  });

  test("list the active ones, oldest first", () => {
    const db = newDatabase();
    const ids = ["p1", "p2", "p3"].map((projectId) => inserted(db, projectId).id);
    updateOperation(db, ids[1] ?? "", { status: "succeeded" });
    updateOperation(db, ids[2] ?? "", { status: "running" });
    expect(listActiveOperations(db).map(({ projectId }) => projectId)).toEqual(["p1", "p3"]);
    expect(getActiveOperation(db, "p2")).toBeUndefined();
    expect(getActiveOperation(db, "p3")?.status).toBe("running");
  });

  test("change in the given fields only", () => {
    const db = newDatabase();
    const { id } = inserted(db, "p1");
    const change = {
      status: "running",
      step: "pull",
      attempt: 2,
      retryAt: "2026-01-01T00:00:00.000Z",
      error: { code: "timeout", message: "Too slow." },
      startedAt: "2026-01-01T00:00:00.000Z",
      input: { a: [1] },
    } as const;
    expect(updateOperation(db, id, { ...change, input: { a: [1] } })).toMatchObject({ ...change, input: { a: [1] } });
    expect(updateOperation(db, id, { error: null, step: undefined })).toMatchObject({
      error: null,
      step: "pull",
      attempt: 2,
    });
    expect(updateOperation(db, id, {})?.step).toBe("pull");
    expect(updateOperation(db, "nope", { step: "x" })).toBeUndefined();
  });

  test("show the contract's fields and not their input", () => {
    const operation = toOperation(inserted(newDatabase(), "p1"));
    expect(z.strictObject(Operation.shape).parse(operation)).toEqual(operation);
  });
});

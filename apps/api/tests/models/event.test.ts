import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { ProjectEvent } from "@agentpod/types";
import { openDatabase } from "../../src/db/open.ts";
import { appendEvent, latestEventId, listEvents, oldestEventId, trimEvents } from "../../src/models/index.ts";

const newDatabase = () => openDatabase(":memory:", { migrate: true });

describe("events", () => {
  test("are stored in the contract's shape", () => {
    const db = newDatabase();
    const event = appendEvent(db, {
      projectId: "p1",
      operationId: "o1",
      type: "pulling",
      data: { currentBytes: 1, totalBytes: null },
    });
    expect(z.strictObject(ProjectEvent.shape).parse(event)).toEqual(event);
    expect(listEvents(db, { after: 0, limit: 10 })).toEqual([event]);
    expect(appendEvent(db, { projectId: "p1", type: "ready" })).toMatchObject({ operationId: null, data: {} });
  });

  test("are listed in order after an id, of all projects or one", () => {
    const db = newDatabase();
    for (const projectId of ["a", "b", "a", "b", "a"]) appendEvent(db, { projectId, type: "ready" });
    const ids = (query: Parameters<typeof listEvents>[1]) => listEvents(db, query).map(({ id }) => id);
    expect(ids({ after: 0, limit: 3 })).toEqual([1, 2, 3]);
    expect(ids({ after: 3, limit: 3 })).toEqual([4, 5]);
    expect(ids({ projectId: "a", after: 1, limit: 10 })).toEqual([3, 5]);
    expect(ids({ projectId: "nope", after: 0, limit: 10 })).toEqual([]);
  });

  test("are trimmed from the start, and ids go on", () => {
    const db = newDatabase();
    expect([oldestEventId(db), latestEventId(db), trimEvents(db, { keep: 3 })]).toEqual([undefined, 0, 0]);
    for (let index = 0; index < 10; index += 1) appendEvent(db, { projectId: "a", type: "ready" });
    expect(trimEvents(db, { keep: 3, atMost: 2 })).toBe(2);
    expect(trimEvents(db, { keep: 3 })).toBe(5);
    expect([oldestEventId(db), latestEventId(db)]).toEqual([8, 10]);
    expect(trimEvents(db, { keep: 0 })).toBe(3);
    expect([oldestEventId(db), latestEventId(db)]).toEqual([undefined, 10]);
    expect(appendEvent(db, { projectId: "a", type: "ready" }).id).toBe(11);
  });

  test("of one project are found by the index", () => {
    const db = newDatabase();
    const explain = db.prepare<{ detail: string }, []>(
      "EXPLAIN QUERY PLAN SELECT * FROM events WHERE id > 5 AND project_id = 'a' ORDER BY id LIMIT 9",
    );
    expect(explain.all().map(({ detail }) => detail)).toEqual([
      "SEARCH events USING INDEX events_by_project (project_id=? AND id>?)",
    ]);
    explain.finalize();
  });
});

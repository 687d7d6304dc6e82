import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { appendEvent } from "../../src/models/event.ts";
import { newDataDir, removeDataDir } from "../support/api-process.ts";
import { missed } from "../support/sse/missed.ts";
import type { GroupReport } from "../support/sse/readers.ts";

const dataDir = newDataDir();
const databasePath = join(dataDir, "agentpod.db");
const db = openDatabase(databasePath, { migrate: true });
for (const projectId of ["a", "b", "a", "b", "a"]) appendEvent(db, { projectId, type: "starting" });
closeDatabase(db);
afterAll(() => removeDataDir(dataDir));

const complaintsOf = (report: Partial<GroupReport>) => {
  const all = {
    path: "/api/events",
    after: 0,
    count: 2,
    ids: [1, 2, 3, 4, 5],
    differing: 0,
    complaints: [],
    ...report,
  };
  return missed(databasePath, { report: async () => [all] }, 50);
};

test("who got every event in order has missed nothing, be it of all projects or of one", async () => {
  expect(await complaintsOf({})).toEqual([]);
  expect(await complaintsOf({ after: 3, ids: [4, 5] })).toEqual([]);
  expect(await complaintsOf({ path: "/api/projects/a/events", ids: [1, 3, 5] })).toEqual([]);
});

test.each<[string, Partial<GroupReport>]>([
  ["an event left out", { ids: [1, 2, 4, 5] }],
  ["the last left out", { ids: [1, 2, 3, 4] }],
  ["one twice", { ids: [1, 2, 2, 3, 4, 5] }],
  ["another order", { ids: [1, 3, 2, 4, 5] }],
  ["another project's", { path: "/api/projects/a/events", ids: [1, 2, 3, 5] }],
  ["one reader of several", { differing: 1 }],
  ["a gap", { complaints: ["a gap"] }],
])("%s is found", async (_, report) => {
  expect(await complaintsOf(report)).not.toEqual([]);
});

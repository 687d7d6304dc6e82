import { describe, expect, test } from "bun:test";
import type { PromptRecord } from "../../src/sessions/live-prompt.ts";
import type { Permission } from "../../src/wire/index.ts";
import { openLog, temporaryFolder } from "./support/open-log.ts";
import { prompt, session } from "./support/records.ts";

const permission = (sessionId: string, id: string, status: Permission["status"]): Permission => ({
  id,
  sessionId,
  promptId: null,
  status,
  toolCall: {},
  options: [],
  outcome: null,
  resolvedBy: null,
  createdAt: "2026-11-23T10:00:00.000Z",
  expiresAt: null,
});

const none = { idempotencyKey: null, requestHash: null };

describe("the tables of sessions", () => {
  test("give back after a restart what was put last", async () => {
    using folder = temporaryFolder();
    {
      using storage = openLog(folder.path);
      storage.log.stageWrite((db) => {
        storage.stores.sessions.put(db, session("ses_1", "old"));
        storage.stores.sessions.put(db, session("ses_1", "new"));
        storage.stores.prompts.put(db, prompt("ses_1", "prm_1", "queued"), none);
        storage.stores.prompts.put(db, prompt("ses_1", "prm_1", "running"), none);
        storage.stores.permissions.put(db, permission("ses_1", "per_1", "pending"));
      });
    }
    using storage = openLog(folder.path);
    expect(storage.stores.sessions.all()).toEqual([session("ses_1", "new")]);
    expect(storage.stores.prompts.get("ses_1", "prm_1")).toEqual(prompt("ses_1", "prm_1", "running"));
    expect(storage.stores.prompts.get("ses_2", "prm_1")).toBeUndefined();
    expect(storage.stores.permissions.get("ses_1", "per_1")).toEqual(permission("ses_1", "per_1", "pending"));
    expect(storage.stores.elicitations.get("ses_1", "per_1")).toBeUndefined();
  });

  test("find prompts by key, page and state", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const { prompts, sessions } = storage.stores;
    storage.log.stageWrite((db) => {
      sessions.put(db, session("ses_1"));
      sessions.put(db, session("ses_2"));
      for (const id of ["prm_1", "prm_2", "prm_3"]) prompts.put(db, prompt("ses_1", id, "finished"), none);
      prompts.put(db, prompt("ses_1", "prm_4", "queued"), { idempotencyKey: "k", requestHash: "h" });
      prompts.put(db, prompt("ses_2", "prm_0", "running"), { idempotencyKey: "k", requestHash: "i" });
    });
    await storage.log.settled();
    const ids = (found: PromptRecord[]) => found.map(({ promptId }) => promptId);
    expect(ids(prompts.page("ses_1", { before: null, limit: 2 }))).toEqual(["prm_4", "prm_3"]);
    expect(ids(prompts.page("ses_1", { before: "prm_3", limit: 5 }))).toEqual(["prm_2", "prm_1"]);
    expect(prompts.byKey("ses_1", "k")).toEqual({ record: prompt("ses_1", "prm_4", "queued"), requestHash: "h" });
    expect(prompts.byKey("ses_1", "other")).toBeUndefined();
    expect(prompts.unfinished().map(({ record, keys }) => [record.promptId, keys.idempotencyKey])).toEqual([
      ["prm_0", "k"],
      ["prm_4", "k"],
    ]);
    expect(storage.reports).toEqual([]);
  });

  test("give the prompts that wait in the order in which they were taken, however the clock was set meanwhile", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const { prompts, sessions } = storage.stores;
    const seqs = { prm_9: 7, prm_1: 8, prm_5: 10 };
    storage.log.stageWrite((db) => {
      sessions.put(db, session("ses_1"));
      for (const [id, seq] of Object.entries(seqs)) prompts.put(db, { ...prompt("ses_1", id, "queued"), seq }, none);
    });
    await storage.log.settled();
    expect(prompts.unfinished().map(({ record }) => record.promptId)).toEqual(Object.keys(seqs));
  });

  test("list what is pending, and what there was of a session", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const { permissions, sessions } = storage.stores;
    storage.log.stageWrite((db) => {
      sessions.put(db, session("ses_1"));
      permissions.put(db, permission("ses_1", "per_1", "pending"));
      permissions.put(db, permission("ses_1", "per_2", "pending"));
      permissions.put(db, permission("ses_1", "per_1", "answered"));
    });
    await storage.log.settled();
    expect(permissions.pending().map(({ id }) => id)).toEqual(["per_2"]);
    expect(permissions.list("ses_1").map(({ id, status }) => `${id} ${status}`)).toEqual([
      "per_2 pending",
      "per_1 answered",
    ]);
  });

  test("forget everything of a removed session", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const { permissions, prompts, sessions } = storage.stores;
    storage.log.stageWrite((db) => {
      for (const id of ["ses_1", "ses_2"]) sessions.put(db, session(id));
      prompts.put(db, prompt("ses_1", "prm_1", "queued"), none);
      prompts.put(db, prompt("ses_2", "prm_2", "queued"), none);
      permissions.put(db, permission("ses_1", "per_1", "pending"));
      sessions.remove(db, "ses_1");
    });
    await storage.log.settled();
    expect(sessions.all().map(({ id }) => id)).toEqual(["ses_2"]);
    expect(prompts.unfinished().map(({ record }) => record.promptId)).toEqual(["prm_2"]);
    expect(permissions.pending()).toEqual([]);
  });
});

import { describe, expect, test } from "bun:test";
import type { PromptRecord } from "../../src/sessions/live-prompt.ts";
import type { EventLog } from "../../src/types.ts";
import { until } from "../support/gateway.ts";
import { drain, openLog, type Seen, seqs, temporaryFolder, texts, update, write } from "./support/open-log.ts";
import { prompt, session } from "./support/records.ts";

const KiB = 1024;
const forEver = { bytes: 2 ** 40, sessionBytes: 2 ** 40, days: 0 };

async function fill(log: EventLog, sessionId: string, count: number, text = "x".repeat(KiB)): Promise<void> {
  for (let index = 0; index < count; index += 1) await write(log, update(sessionId, text));
}

const sizeOf = (events: readonly Seen[]): number => JSON.stringify(events).length;

describe("retention", () => {
  test("removes a session's oldest events beyond its share, and tells readers which", async () => {
    using folder = temporaryFolder();
    const options = { retention: { ...forEver, sessionBytes: 100 * KiB }, limits: { tailBytes: 1 } };
    let left: Seen[];
    {
      using storage = openLog(folder.path, options);
      await write(storage.log, update("quiet", "stays"));
      const slow = storage.log.reader({ sessionId: "busy", after: 0 });
      await write(storage.log, update("busy", "first"));
      expect(texts(drain(slow))).toEqual(["first"]);
      await fill(storage.log, "busy", 300);
      const [gap, ...events] = drain(slow);
      left = events;
      expect(gap?.event).toBe("gap");
      expect(gap?.data["data"]).toEqual({ from: 3, to: (events[0]?.id ?? 0) - 1 });
      expect(gap?.id).toBe((events[0]?.id ?? 0) - 1);
      expect(events.at(-1)?.id).toBe(storage.log.lastSeq());
      expect(sizeOf(events)).toBeLessThan(130 * KiB);
      expect(sizeOf(events)).toBeGreaterThan(60 * KiB);
      expect(texts(drain(storage.log.reader({ sessionId: "quiet", after: 0 })))).toEqual(["stays"]);
    }
    using storage = openLog(folder.path, options);
    const [gap, ...events] = drain(storage.log.reader({ sessionId: "busy", after: 0 }));
    expect(gap?.event).toBe("gap");
    expect(seqs(events)).toEqual(seqs(left));
    expect(drain(storage.log.reader({ sessionId: "busy", after: left[0]?.id ?? 0 }))[0]?.event).not.toBe("gap");
  });

  test("keeps the database within its size", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path, {
      retention: { ...forEver, bytes: 6 * KiB * KiB },
      limits: { tailBytes: 100 * KiB },
    });
    for (let index = 0; index < 60; index += 1) await fill(storage.log, `ses_${index % 4}`, 5, "y".repeat(100 * KiB));
    await until(() => storage.log.stats().bytes < 7 * KiB * KiB);
    const seen = drain(storage.log.reader({ after: 0 }));
    expect(seen[0]).toMatchObject({ event: "gap", data: { sessionId: "" } });
    expect(sizeOf(seen)).toBeGreaterThan(3 * KiB * KiB);
    expect(seqs(seen.slice(1))).toEqual(seqs(seen.slice(1)).toSorted((a, b) => a - b));
    expect(seen.at(-1)?.id).toBe(storage.log.lastSeq());
  });

  test("removes what was asked in prompts with their events, so that prompts do not take the place of all events", async () => {
    using folder = temporaryFolder();
    const options = { retention: { ...forEver, bytes: 8 * KiB * KiB }, limits: { tailBytes: 1 } };
    using storage = openLog(folder.path, options);
    const { log, stores } = storage;
    const content = [{ type: "text", text: "p".repeat(400 * KiB) }];
    const id = (count: number) => `prm_${String(count).padStart(3, "0")}`;
    log.stageWrite((db) => stores.sessions.put(db, session("ses_1")));
    for (let count = 0; count < 60; count += 1) {
      const status = count === 59 ? "queued" : "finished";
      const record: PromptRecord = { ...prompt("ses_1", id(count), status), content };
      log.stage(update("ses_1", "e".repeat(100 * KiB)), (seq) => {
        record.seq = seq;
      });
      log.stageWrite((db) => stores.prompts.put(db, record, { idempotencyKey: id(count), requestHash: "h" }));
      await log.settled();
    }
    await until(() => log.stats().bytes < 9 * KiB * KiB);
    const [gap, ...events] = drain(log.reader({ sessionId: "ses_1", after: 0 }));
    expect(gap?.event).toBe("gap");
    expect(events.length).toBeGreaterThan(5);
    expect(events.at(-1)?.id).toBe(log.lastSeq());
    const [first] = stores.prompts.page("ses_1", { before: id(1), limit: 1 });
    expect(first).toMatchObject({ promptId: id(0), status: "finished", content: [] });
    expect(stores.prompts.byKey("ses_1", id(0))?.requestHash).toBe("h");
    for (const kept of [id(58), id(59)]) expect(stores.prompts.get("ses_1", kept)?.content).toEqual(content);
  });

  test("removes what agents asked people with its events, but nothing that still waits", async () => {
    using folder = temporaryFolder();
    let time = Date.parse("2026-01-01T00:00:00Z");
    const idOf = (kind: string) => `${kind}_${Bun.randomUUIDv7("hex", time).replaceAll("-", "")}`;
    const options = { retention: { ...forEver, bytes: 8 * KiB * KiB }, limits: { tailBytes: 1 } };
    using storage = openLog(folder.path, { ...options, now: () => new Date(time) });
    const { log, stores } = storage;
    log.stageWrite((db) => stores.sessions.put(db, session("ses_1")));
    const rows: { permission: string; elicitation: string; seq: number }[] = [];
    for (let count = 0; count < 60; count += 1) {
      time += 1000;
      const [permission, elicitation] = [idOf("per"), idOf("eli")];
      const base = {
        sessionId: "ses_1",
        promptId: null,
        status: count === 0 ? "pending" : "answered",
        resolvedBy: null,
        createdAt: new Date().toISOString(),
        expiresAt: null,
      } as const;
      const long = { text: "p".repeat(200 * KiB) };
      const [seq = 0] = await write(log, update("ses_1", "e".repeat(100 * KiB)));
      log.stageWrite((db) => {
        stores.permissions.put(db, { ...base, id: permission, toolCall: long, options: [], outcome: null });
        stores.elicitations.put(db, { ...base, id: elicitation, request: long, response: null });
      });
      await log.settled();
      rows.push({ permission, elicitation, seq });
    }
    await until(() => log.stats().bytes < 9 * KiB * KiB);
    const [gap, ...events] = drain(log.reader({ sessionId: "ses_1", after: 0 }));
    expect(gap?.event).toBe("gap");
    expect(events.length).toBeGreaterThan(5);
    const [first] = events;
    const [waiting, ...ended] = rows;
    const here = ended.filter(({ seq }) => seq >= (first?.id ?? 0));
    const kept = [waiting, ...here].toReversed();
    const permissions = stores.permissions.list("ses_1").map(({ id }) => id);
    const elicitations = stores.elicitations.list("ses_1").map(({ id }) => id);
    // What was asked in the millisecond of the last commit that is gone may stay.
    expect(permissions.slice(0, here.length)).toEqual(here.map(({ permission }) => permission).toReversed());
    expect(permissions.at(-1)).toBe(waiting?.permission ?? "");
    for (const ids of [permissions, elicitations]) expect(ids.length).toBeLessThanOrEqual(kept.length + 2);
    expect(elicitations.at(-1)).toBe(waiting?.elicitation ?? "");
  });

  test("removes what is too old behind events that were written while the clock was ahead", async () => {
    using folder = temporaryFolder();
    const day = 24 * 3600 * 1000;
    let time = Date.parse("2030-01-01T00:00:00Z");
    const options = { retention: { ...forEver, days: 1 }, now: () => new Date(time), limits: { tailBytes: 1 } };
    using storage = openLog(folder.path, options);
    await fill(storage.log, "ahead", 1200, "ahead");
    time = Date.parse("2026-01-01T00:00:00Z");
    await fill(storage.log, "old", 50, "old");
    time += 30 * day;
    for (let minute = 0; minute < 10; minute += 1) {
      time += 61_000;
      await write(storage.log, update("new", "new"));
    }
    expect(drain(storage.log.reader({ sessionId: "old", after: 0 })).map(({ event }) => event)).toEqual(["gap"]);
    expect(texts(drain(storage.log.reader({ sessionId: "ahead", after: 0 })))).toHaveLength(1200);
    expect(texts(drain(storage.log.reader({ sessionId: "new", after: 0 })))).toHaveLength(10);
    // These go as well once they are old by the clock as it is now.
    time = Date.parse("2030-03-01T00:00:00Z");
    await until(async () => {
      time += 61_000;
      await write(storage.log, update("newest", "newest"));
      return drain(storage.log.reader({ sessionId: "ahead", after: 0 })).length === 1;
    });
  });

  test("removes what is too old, but never the last event or its number", async () => {
    using folder = temporaryFolder();
    const day = 24 * 3600 * 1000;
    let time = Date.parse("2026-01-01T00:00:00Z");
    const options = { retention: { ...forEver, days: 2 }, now: () => new Date(time), limits: { tailBytes: 1 } };
    {
      using storage = openLog(folder.path, options);
      await fill(storage.log, "a", 5, "old");
      time += 3 * day;
      await fill(storage.log, "b", 2, "new");
      await until(() => drain(storage.log.reader({ sessionId: "a", after: 0 })).length === 1);
      expect(texts(drain(storage.log.reader({ sessionId: "b", after: 0 })))).toEqual(["new", "new"]);
      time += 30 * day;
      await write(storage.log, update("b", "newest"));
      await until(() => drain(storage.log.reader({ sessionId: "b", after: 0 })).length === 2);
    }
    using storage = openLog(folder.path, options);
    expect(storage.log.lastSeq()).toBe(8);
    expect(texts(drain(storage.log.reader({ sessionId: "b", after: 7 })))).toEqual(["newest"]);
  });

  test("tells the reader of all sessions of a gap without losing its place in other sessions", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path, {
      retention: { ...forEver, sessionBytes: 20 * KiB },
      limits: { tailBytes: 1 },
    });
    const reader = storage.log.reader({ after: 0 });
    await write(storage.log, update("quiet", "1"));
    await fill(storage.log, "busy", 40);
    await write(storage.log, update("quiet", "2"));
    const seen = drain(reader);
    expect(seen[0]).toMatchObject({ event: "gap", id: 0, data: { sessionId: "", data: { from: 1 } } });
    expect(texts(seen.filter(({ data }) => data["sessionId"] === "quiet"))).toEqual(["1", "2"]);
    expect(seen.filter(({ event }) => event === "gap")).toHaveLength(1);
  });
});

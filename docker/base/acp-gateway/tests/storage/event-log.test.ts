import { describe, expect, test } from "bun:test";
import { prepared } from "../../src/storage/prepared.ts";
import {
  drain,
  isSettled,
  openLog,
  parseFrames,
  seqs,
  temporaryFolder,
  texts,
  update,
  write,
} from "./support/open-log.ts";

describe("an event in the log", () => {
  test("is a frame with number, time, type, session and prompt, and its own members as they came", async () => {
    using folder = temporaryFolder();
    const time = new Date("2026-11-23T10:00:00.123Z");
    using storage = openLog(folder.path, { now: () => time });
    const event = {
      sessionId: "ses_1",
      type: "tool_call",
      promptId: "prm_1",
      members: '"update":{"a":1e2, "ü":"€😀"}',
    };
    await write(storage.log, event);
    const frame = new TextDecoder().decode(storage.log.reader({ after: 0 }).next() ?? new Uint8Array());
    expect(frame).toBe(
      'id: 1\nevent: tool_call\ndata: {"seq":1,"time":"2026-11-23T10:00:00.123Z","type":"tool_call",' +
        '"sessionId":"ses_1","promptId":"prm_1","update":{"a":1e2, "ü":"€😀"}}\n\n',
    );
  });

  test("has no promptId when it belongs to no prompt", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("ses_1", "x"));
    const [seen] = drain(storage.log.reader({ after: 0 }));
    expect(Object.keys(seen?.data ?? {})).toEqual(["seq", "time", "type", "sessionId", "update"]);
  });

  test("stays one event when its JSON has a carriage return between tokens", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, { ...update("ses_1", ""), members: '"data":{"a":\r1,\r"b":"\\r"}' }, update("ses_1", "y"));
    const [first, second] = drain(storage.log.reader({ after: 0 }));
    expect(first?.data["data"]).toEqual({ a: 1, b: "\r" });
    expect(second?.id).toBe(2);
  });

  test("is refused when its type could break the stream", () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    for (const type of ["", "a\nid: 7", "Ä", "a".repeat(65), "Tool"]) {
      expect(() => storage.log.stage({ ...update("ses_1", "x"), type })).toThrow(TypeError);
    }
  });

  test("can be several MiB long", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const long = "ä😀".repeat(3_000_000);
    await write(storage.log, update("ses_1", "before"), update("ses_1", long), update("ses_1", "after"));
    expect(texts(drain(storage.log.reader({ sessionId: "ses_1", after: 0 })))).toEqual(["before", long, "after"]);
  });
});

describe("numbers", () => {
  test("rise over all sessions, without holes, and tell lastSeq of each", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const given = await write(storage.log, update("a", "1"), update("b", "1"), update("a", "2"), update("", "0"));
    expect(given.toSorted((x, y) => x - y)).toEqual([1, 2, 3, 4]);
    expect(seqs(drain(storage.log.reader({ after: 0 })))).toEqual([1, 2, 3, 4]);
    expect(texts(drain(storage.log.reader({ sessionId: "a", after: 0 })))).toEqual(["1", "2"]);
    expect(storage.log.lastSeq()).toBe(4);
    const lastOfA = Math.max(...seqs(drain(storage.log.reader({ sessionId: "a", after: 0 }))));
    expect(storage.log.lastSeq("a")).toBe(lastOfA);
    expect(storage.log.lastSeq("unknown")).toBe(0);
  });

  test("go on after the log was closed and opened again", async () => {
    using folder = temporaryFolder();
    {
      using storage = openLog(folder.path);
      await write(storage.log, update("a", "1"), update("a", "2"));
    }
    using storage = openLog(folder.path);
    expect(storage.log.lastSeq()).toBe(2);
    expect(await write(storage.log, update("a", "3"))).toEqual([3]);
    expect(texts(drain(storage.log.reader({ after: 0 })))).toEqual(["1", "2", "3"]);
  });

  test("are not given again after a restart of the system, which may have lost the last commits", async () => {
    using folder = temporaryFolder();
    for (const bootId of ["boot-1", "boot-1", "boot-2"]) {
      using storage = openLog(folder.path, { bootId });
      await write(storage.log, update("a", bootId));
    }
    using storage = openLog(folder.path, { bootId: "boot-2" });
    expect(seqs(drain(storage.log.reader({ after: 0 })))).toEqual([1, 2, 1_000_003]);
    expect(drain(storage.log.reader({ sessionId: "a", after: 500 })).map(({ event }) => event)).not.toContain("gap");
  });

  test("are told before the staged writes of the same commit", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const order: string[] = [];
    storage.log.stageWrite(() => order.push("write"));
    storage.log.stage(update("a", "1"), (seq) => order.push(`seq ${seq}`));
    await storage.log.settled();
    expect(order).toEqual(["seq 1", "write"]);
  });
});

describe("a commit", () => {
  test("comes by itself at the end of the turn, and nothing is seen before it", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const reader = storage.log.reader({ after: 0 });
    storage.log.stage(update("a", "1"));
    expect(reader.next()).toBeNull();
    await reader.wait();
    expect(texts(drain(reader))).toEqual(["1"]);
  });

  test("does not wait for the end of the turn when much is staged", () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    storage.log.stage(update("a", "x".repeat(300_000)));
    expect(storage.log.lastSeq()).toBe(0);
    storage.log.commitSoon();
    expect(storage.log.lastSeq()).toBe(1);
  });

  test("takes events and writes together", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    let seenInside = 0;
    storage.log.stage(update("a", "1"));
    storage.log.stageWrite((db) => {
      seenInside = prepared<{ n: number }, []>(db, "SELECT count(*) AS n FROM event_segment").get()?.n ?? 0;
    });
    await storage.log.settled();
    expect(seenInside).toBe(1);
    expect(storage.log.stats().commits).toBe(1);
  });

  test("goes on without a write that fails by itself, and says so", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const insert = (name: string) => (db: Parameters<Parameters<typeof storage.log.stageWrite>[0]>[0]) => {
      db.run("INSERT INTO meta VALUES (?, '1')", [name]);
    };
    storage.log.stageWrite(insert("kept"));
    storage.log.stageWrite((db) => {
      insert("half")(db);
      throw new Error("a mistake");
    });
    storage.log.stageWrite(insert("kept"));
    let names: string[] = [];
    storage.log.stageWrite((db) => {
      names = db
        .query<{ name: string }, []>("SELECT name FROM meta WHERE name IN ('kept', 'half')")
        .all()
        .map(({ name }) => name);
    });
    storage.log.stage(update("a", "1"));
    await storage.log.settled();
    expect(names).toEqual(["kept"]);
    expect(storage.log.lastSeq()).toBe(1);
    expect(storage.reports).toEqual(["a change could not be stored", "a change could not be stored"]);
  });

  test("keeps what is staged while it runs for the next one, and settles that with it", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const { promise, resolve } = Promise.withResolvers<number>();
    storage.log.stage(update("a", "1"));
    storage.log.stageWrite(() => {
      storage.log.stage(update("a", "2"));
      void storage.log.settled().then(() => resolve(storage.log.lastSeq()));
    });
    await storage.log.settled();
    expect(await promise).toBe(2);
    expect(texts(drain(storage.log.reader({ after: 0 })))).toEqual(["1", "2"]);
  });

  test("is done by close for all that is staged", () => {
    using folder = temporaryFolder();
    {
      using storage = openLog(folder.path);
      storage.log.stage(update("a", "last words"));
    }
    using storage = openLog(folder.path);
    expect(parseFrames(new TextDecoder().decode(storage.log.reader({ after: 0 }).next() ?? undefined))).toHaveLength(1);
  });
});

describe("room", () => {
  test("makes producers wait while much is staged, and lets them go on after the commit", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path, { limits: { stagedBytes: 10_000 } });
    await storage.log.room();
    storage.log.stage(update("a", "x".repeat(20_000)));
    const waiting = storage.log.room();
    expect(await isSettled(waiting)).toBe(false);
    await waiting;
    expect(storage.log.lastSeq()).toBe(1);
  });
});

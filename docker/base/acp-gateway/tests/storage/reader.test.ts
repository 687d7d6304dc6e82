import { describe, expect, test } from "bun:test";
import {
  drain,
  isSettled,
  openLog,
  type Seen,
  seqs,
  temporaryFolder,
  texts,
  update,
  write,
} from "./support/open-log.ts";

/** Repeatable, so that a failure can be looked at again. */
function createRandom(seed: number) {
  let state = seed;
  return (max: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % max;
  };
}

describe("readers", () => {
  test("get the same events from memory, from disk, and after a restart, wherever they begin and however they read", async () => {
    using folder = temporaryFolder();
    const random = createRandom(7);
    const sessions = ["ses_a", "ses_b", "ses_c"];
    const types = ["agent_message_chunk", "tool_call", "plan"];
    const written: Seen[] = [];
    const compare = (log: ReturnType<typeof openLog>["log"]): void => {
      for (let round = 0; round < 150; round += 1) {
        const after = random(written.length + 1);
        const sessionId = sessions[random(4)];
        const wanted = new Set(types.filter(() => random(2) === 0));
        const reader = log.reader({
          after,
          ...(sessionId && { sessionId }),
          ...(wanted.size > 0 && { types: wanted }),
        });
        const expected = written.filter(
          ({ id, event, data }) =>
            id > after &&
            (sessionId === undefined || data["sessionId"] === sessionId) &&
            (wanted.size === 0 || wanted.has(event)),
        );
        expect(seqs(drain(reader, random(5) * 300 + 1))).toEqual(seqs(expected));
      }
    };
    {
      using storage = openLog(folder.path, { limits: { tailBytes: 20_000 } });
      const observer = storage.log.reader({ after: 0 });
      for (let commit = 0; commit < 60; commit += 1) {
        for (let count = random(12); count >= 0; count -= 1) {
          const event = update(sessions[random(3)] ?? "", `${commit} ${"é".repeat(random(300))}`);
          storage.log.stage({ ...event, type: types[random(3)] ?? "" });
        }
        await storage.log.settled();
        written.push(...drain(observer));
      }
      expect(seqs(written)).toEqual(written.map((_, index) => index + 1));
      compare(storage.log);
    }
    using storage = openLog(folder.path);
    expect(drain(storage.log.reader({ after: 0 }))).toEqual(written);
    compare(storage.log);
  });

  test("are woken by events of their session only", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const reader = storage.log.reader({ sessionId: "a", after: 0 });
    const waiting = reader.wait();
    await write(storage.log, update("b", "1"));
    expect(await isSettled(waiting)).toBe(false);
    await write(storage.log, update("a", "1"));
    await waiting;
    expect(texts(drain(reader))).toEqual(["1"]);
  });

  test("stop waiting on abort, and miss nothing by it", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const reader = storage.log.reader({ sessionId: "a", after: 0 });
    const stop = new AbortController();
    const waiting = reader.wait(stop.signal);
    stop.abort();
    await waiting;
    await write(storage.log, update("a", "1"));
    expect(texts(drain(reader))).toEqual(["1"]);
  });

  test("let others have a turn while they look for a rare type in a long log", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    for (let index = 0; index < 30; index += 1) await write(storage.log, update("a", "x".repeat(100_000)));
    await write(storage.log, { ...update("a", "found"), type: "plan" });
    const reader = storage.log.reader({ after: 0, types: new Set(["plan"]) });
    let found: Uint8Array | null = null;
    let turns = 0;
    while (found === null && turns < 10) {
      found = reader.next();
      if (found === null) await reader.wait();
      turns += 1;
    }
    expect(turns).toBeGreaterThan(2);
    expect(new TextDecoder().decode(found ?? undefined)).toContain("found");
  });

  test("that know a higher number than a log that was begun anew are told, and given all of it", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"), update("a", "2"));
    const [gap, ...events] = drain(storage.log.reader({ after: 5000 }));
    expect(gap).toMatchObject({ id: 0, event: "gap", data: { data: { from: 1, to: 5000 } } });
    expect(texts(events)).toEqual(["1", "2"]);
  });
});

describe("the removal of a session", () => {
  test("gives its reader what was said up to it, then the end", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const reader = storage.log.reader({ sessionId: "a", after: 0 });
    storage.log.stage(update("a", "1"));
    storage.log.remove("a");
    await reader.wait();
    expect(reader.ended).toBe(false);
    expect(drain(reader).map(({ event }) => event)).toEqual(["agent_message_chunk", "session_deleted"]);
    expect(reader.ended).toBe(true);
    await reader.wait();
  });

  test("leaves other sessions alone, and of its own only that it was removed", async () => {
    using folder = temporaryFolder();
    {
      using storage = openLog(folder.path);
      await write(storage.log, update("a", "1"), update("b", "1"), update("a", "2"));
      storage.log.remove("a");
      await write(storage.log, update("b", "2"));
      const left = drain(storage.log.reader({ after: 0 }));
      expect(left.map(({ event, data }) => `${event} ${String(data["sessionId"])}`).toSorted()).toEqual([
        "agent_message_chunk b",
        "agent_message_chunk b",
        "session_deleted a",
      ]);
    }
    using storage = openLog(folder.path);
    expect(texts(drain(storage.log.reader({ sessionId: "b", after: 0 })))).toEqual(["1", "2"]);
    expect(drain(storage.log.reader({ sessionId: "a", after: 0 })).map(({ event }) => event)).toEqual([
      "session_deleted",
    ]);
  });

  test("tells a reader that was behind of the gap", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"), update("a", "2"));
    const reader = storage.log.reader({ sessionId: "a", after: 1 });
    storage.log.remove("a");
    await storage.log.settled();
    const seen = drain(reader);
    expect(seen.map(({ event }) => event)).toEqual(["gap", "session_deleted"]);
    expect(seen[0]?.data["data"]).toEqual({ from: 2, to: 2 });
    expect(reader.ended).toBe(true);
  });
});

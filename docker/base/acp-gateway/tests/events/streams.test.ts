import { describe, expect, test } from "bun:test";
import { createEventStreams } from "../../src/http/event-streams.ts";
import type { EventLog } from "../../src/types.ts";
import { openLog, parseFrames, seqs, temporaryFolder, update, write } from "../storage/support/open-log.ts";

const opening = new TextEncoder().encode(": ok\n\n");
const heartbeat = new TextEncoder().encode(": alive\n\n");

type Streams = ReturnType<typeof createEventStreams>;

type StartOptions = { sessionId?: string; isOver?: () => boolean; endTells?: boolean };

function start(streams: Streams, log: EventLog, options: StartOptions = {}) {
  const { sessionId = "a", isOver = () => false, endTells = false } = options;
  let ends = 0;
  const onEnd = (): void => {
    ends += 1;
  };
  const reader = log.reader({ sessionId, after: 0 });
  const body = streams.start({ sessionId, reader, opening, heartbeat, isOver, endTells, onEnd });
  const pulled = body.getReader();
  const decoder = new TextDecoder();
  return {
    ends: () => ends,
    cancel: () => pulled.cancel(),
    /** The next chunk's text; undefined at the end. */
    async next(): Promise<string | undefined> {
      const { done, value } = await pulled.read();
      return done ? undefined : decoder.decode(value);
    },
  };
}

describe("a stream of events", () => {
  test("begins with something at once, then what there is, then what comes", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"), update("a", "2"));
    const stream = start(createEventStreams({ readers: 9, readersPerSession: 9 }), storage.log);
    expect(await stream.next()).toBe(": ok\n\n");
    expect(seqs(parseFrames((await stream.next()) ?? ""))).toEqual([1, 2]);
    const next = stream.next();
    await write(storage.log, update("b", "x"), update("a", "3"));
    expect(parseFrames((await next) ?? "").map(({ data }) => data["sessionId"])).toEqual(["a"]);
    await stream.cancel();
    expect(stream.ends()).toBe(1);
  });

  test("says that it is alive while nothing comes", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const stream = start(createEventStreams({ readers: 9, readersPerSession: 9, heartbeatMs: 20 }), storage.log);
    expect([await stream.next(), await stream.next(), await stream.next()]).toEqual([
      ": ok\n\n",
      ": alive\n\n",
      ": alive\n\n",
    ]);
    const quiet = stream.next();
    await write(storage.log, update("a", "1"));
    const text = (await quiet) ?? "";
    expect(text === ": alive\n\n" ? await stream.next() : text).toContain("id: 1\n");
    await stream.cancel();
  });

  test("ends with its session, after everything of it", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const streams = createEventStreams({ readers: 9, readersPerSession: 9 });
    const stream = start(streams, storage.log);
    await stream.next();
    const last = stream.next();
    storage.log.remove("a");
    expect(parseFrames((await last) ?? "").map(({ event }) => event)).toEqual(["session_deleted"]);
    expect(await stream.next()).toBeUndefined();
    expect([stream.ends(), streams.count()]).toEqual([1, 0]);
  });

  test("ends when it is over, but not before everything is given", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"));
    const stream = start(createEventStreams({ readers: 9, readersPerSession: 9 }), storage.log, { isOver: () => true });
    await stream.next();
    expect(await stream.next()).toContain("id: 1\n");
    expect(await stream.next()).toBeUndefined();
  });

  test("whose end tells that it is over is broken off when it is ended sooner, and no other is", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"));
    const streams = createEventStreams({ readers: 9, readersPerSession: 9 });
    let isOver = false;
    const begin = async (options: StartOptions) => {
      const stream = start(streams, storage.log, options);
      await stream.next();
      expect(await stream.next()).toContain("id: 1\n");
      return { stream, last: stream.next() };
    };
    const plain = await begin({});
    const sooner = await begin({ endTells: true, isOver: () => false });
    const over = await begin({ endTells: true, isOver: () => isOver });
    isOver = true;
    streams.closeAll();
    expect(await plain.last).toBeUndefined();
    expect(await over.last).toBeUndefined();
    expect(sooner.last).rejects.toBeUndefined();
    await sooner.last.catch(() => undefined);
    expect([plain, sooner, over].map(({ stream }) => stream.ends())).toEqual([1, 1, 1]);
  });

  test("is refused beyond the limit of its session and of all, until one has ended", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    const streams = createEventStreams({ readers: 3, readersPerSession: 2 });
    const first = start(streams, storage.log);
    const others = [start(streams, storage.log), start(streams, storage.log, { sessionId: "b" })];
    const refused = (sessionId: string) => {
      try {
        start(streams, storage.log, { sessionId });
      } catch (error) {
        return (error as { code?: string }).code;
      }
      return undefined;
    };
    expect([refused("a"), refused("c")]).toEqual(["too_many_readers", "too_many_readers"]);
    await first.cancel();
    expect(refused("a")).toBeUndefined();
    for (const stream of others) await stream.cancel();
  });

  test("of a log that is closed ends, whether it waits or has events left", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"));
    const streams = createEventStreams({ readers: 9, readersPerSession: 9 });
    const waiting = start(streams, storage.log);
    const late = start(streams, storage.log);
    await waiting.next();
    await waiting.next();
    const end = waiting.next();
    storage.log.close();
    expect(await end).toBeUndefined();
    await late.next();
    expect(await late.next()).toBeUndefined();
    expect(streams.count()).toBe(0);
  });
});

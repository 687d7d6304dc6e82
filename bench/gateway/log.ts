import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage } from "../../docker/base/acp-gateway/src/storage/open-storage.ts";
import type { EventLog, LogReader } from "../../docker/base/acp-gateway/src/types.ts";
import { spread } from "../src/support/statistics.ts";

/**
 * How many events per second the gateway's log takes, commits and hands out, in batches of 256 as an
 * agent's pipe brings them; against the same bytes as one row per event. The time of the median batch
 * tells what the log costs where the machine is busy with something else.
 *   bun gateway/log.ts [--rounds N] [--events N]
 */
const BATCH = 256;
const SESSION = "ses_018f0000000070008000000000000000";
const PROMPT = "prm_018f0000000070008000000000000000";
const rounds = Number(/--rounds[= ](\d+)/.exec(process.argv.join(" "))?.[1] ?? 5);
const events = Number(/--events[= ](\d+)/.exec(process.argv.join(" "))?.[1] ?? 400_000);

/** Together with its envelope about 370 bytes as a frame, 250 as the agent's line. */
const members = Array.from(
  { length: 1024 },
  (_, index) =>
    `"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"${String(index).padStart(60, ".")}"}}`,
);

type Result = { perSecond: number; batchMs: number; slowestMs: number; cpuMicros: number };

async function measured(batch: (first: number) => Promise<void>, end: () => Promise<void>): Promise<Result> {
  const times: number[] = [];
  Bun.gc(true);
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let first = 0; first < events; first += BATCH) {
    const before = performance.now();
    await batch(first);
    times.push(performance.now() - before);
  }
  await end();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const { median, max } = spread(times);
  return { perSecond: (events / ms) * 1000, batchMs: median, slowestMs: max, cpuMicros: (user + system) / events };
}

async function ours(folder: string, synchronous: "normal" | "off", readerCount: number): Promise<Result[]> {
  const log = open(folder, synchronous);
  let bytes = 0;
  const follow = async (reader: LogReader): Promise<void> => {
    while (reader.position < log.lastSeq() || log.lastSeq() < events) {
      const chunk = reader.next();
      if (chunk === null) await reader.wait();
      else bytes += chunk.length;
    }
  };
  const readers = Array.from({ length: readerCount }, () => follow(log.reader({ sessionId: SESSION, after: 0 })));
  const written = await measured(
    async (first) => {
      for (let index = first; index < Math.min(first + BATCH, events); index += 1) {
        const event = { sessionId: SESSION, type: "agent_message_chunk", promptId: PROMPT };
        log.stage({ ...event, members: members[index % members.length] ?? "" });
      }
      await log.settled();
    },
    async () => {
      await Promise.all(readers);
    },
  );
  const replay = replayed(log);
  if (bytes !== replay.bytes * readerCount) throw new Error(`${readerCount} readers got ${bytes} bytes`);
  log.close();
  return [written, replay.result];
}

function open(folder: string, synchronous: "normal" | "off"): EventLog {
  return openStorage({
    folder,
    synchronous,
    retention: { bytes: 2 ** 40, sessionBytes: 2 ** 40, days: 0 },
    report: (message) => {
      throw new Error(message);
    },
    now: () => new Date(),
    limits: { stagedBytes: 64 * 1024 * 1024 },
  }).log;
}

function replayed(log: EventLog): { result: Result; bytes: number } {
  const reader = log.reader({ sessionId: SESSION, after: 0 });
  let bytes = 0;
  let slowestMs = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (;;) {
    const before = performance.now();
    const chunk = reader.next();
    slowestMs = Math.max(slowestMs, performance.now() - before);
    if (chunk === null) break;
    bytes += chunk.length;
  }
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const result = {
    perSecond: (events / ms) * 1000,
    batchMs: Number.NaN,
    slowestMs,
    cpuMicros: (user + system) / events,
  };
  return { result, bytes };
}

async function rowPerEvent(folder: string): Promise<Result[]> {
  const db = new Database(join(folder, "rows.sqlite"));
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = NORMAL");
  db.run(
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, session TEXT, time TEXT, type TEXT, prompt TEXT, body TEXT) STRICT",
  );
  const insert = db.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)");
  const all = db.transaction((first: number) => {
    const time = new Date().toISOString();
    for (let index = first; index < Math.min(first + BATCH, events); index += 1) {
      insert.run(index + 1, SESSION, time, "agent_message_chunk", PROMPT, members[index % members.length] ?? "");
    }
  });
  const result = await measured(
    (first) => Promise.resolve(all(first)),
    () => Promise.resolve(),
  );
  db.close();
  return [result];
}

const sides: Record<string, (folder: string) => Promise<Result[]>> = {
  "one row per event, normal": rowPerEvent,
  "log, normal": (folder) => ours(folder, "normal", 0),
  "log, normal, 1 reader": (folder) => ours(folder, "normal", 1),
  "log, normal, 10 readers": (folder) => ours(folder, "normal", 10),
  "log, off": (folder) => ours(folder, "off", 0),
};
const found = new Map<string, Result[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(sides)) {
    const folder = mkdtempSync(join(tmpdir(), "bench-log-"));
    try {
      const [written, replay] = await run(folder);
      if (written) found.set(name, [...(found.get(name) ?? []), written]);
      if (replay) found.set("replay from disk", [...(found.get("replay from disk") ?? []), replay]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

const figure = (values: number[], digits: number): string =>
  Number.isNaN(values[0])
    ? "-"
    : spread(values).median.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
for (const [name, results] of found) {
  const of = (key: keyof Result, digits = 2): string =>
    figure(
      results.map((result) => result[key]),
      digits,
    );
  console.log(
    `${name.padEnd(26)} ${of("perSecond", 0).padStart(10)}/s  batch of ${BATCH}: ${of("batchMs", 3)} ms, ` +
      `slowest ${of("slowestMs")} ms  ${of("cpuMicros")} µs CPU each`,
  );
}

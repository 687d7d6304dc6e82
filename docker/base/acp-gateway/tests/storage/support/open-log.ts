import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage, type StorageOptions } from "../../../src/storage/open-storage.ts";
import type { EventLog, LogReader, StagedEvent } from "../../../src/types.ts";

const MiB = 1024 * 1024;

/** A folder that is removed with the returned object. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "acp-log-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Real storage in `folder`; `reports` has what it complained of, `told` the fields of that. */
export function openLog(folder: string, options: Partial<StorageOptions> = {}) {
  const reports: string[] = [];
  const told: Record<string, unknown>[] = [];
  const storage = openStorage({
    folder,
    synchronous: "off",
    retention: { bytes: 4096 * MiB, sessionBytes: 1024 * MiB, days: 0 },
    report(message, fields) {
      reports.push(message);
      told.push(fields);
    },
    now: () => new Date(),
    ...options,
  });
  return { ...storage, reports, told, [Symbol.dispose]: () => storage.log.close() };
}

export const update = (sessionId: string, text: string, promptId: string | null = null): StagedEvent => ({
  sessionId,
  type: "agent_message_chunk",
  promptId,
  members: `"update":${JSON.stringify({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } })}`,
});

/** One event as an SSE client sees it. */
export type Seen = { id: number; event: string; data: Record<string, unknown> & { seq: number; time: string } };

/** Reads frames as the standard of server-sent events says, not as the log writes them. */
export function parseFrames(text: string): Seen[] {
  const events: Seen[] = [];
  let event = "";
  let data: string[] = [];
  let id = "";
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === "" && data.length > 0) {
      events.push({ id: Number(id), event, data: JSON.parse(data.join("\n")) as Seen["data"] });
      [event, data] = ["", []];
    }
    const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === "id") id = value ?? "";
    if (field === "event") event = value ?? "";
    if (field === "data") data.push(value ?? "");
  }
  return events;
}

/** Everything the reader can be given now. */
export function drain(reader: LogReader, maxBytes?: number): Seen[] {
  const decoder = new TextDecoder();
  const events: Seen[] = [];
  for (;;) {
    const before = reader.position;
    const chunk = reader.next(maxBytes);
    if (chunk === null && reader.position === before) return events;
    if (chunk !== null) events.push(...parseFrames(decoder.decode(chunk)));
  }
}

export const seqs = (events: readonly Seen[]): number[] => events.map(({ id }) => id);

/** The text of the events' updates. */
export const texts = (events: readonly Seen[]): string[] =>
  events.map(({ data }) => (data["update"] as { content: { text: string } }).content.text);

/** Stages, and waits for the commit. */
export async function write(log: EventLog, ...events: StagedEvent[]): Promise<number[]> {
  const numbers: number[] = [];
  for (const event of events) log.stage(event, (seq) => numbers.push(seq));
  await log.settled();
  return numbers;
}

/** Whether it has resolved by now. */
export const isSettled = (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), Promise.resolve().then(() => false)]);

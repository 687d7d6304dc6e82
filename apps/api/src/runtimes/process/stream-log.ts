import type { LogLine } from "@agentpod/types";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogOptions } from "../runtime.ts";
import { readSince, readTail } from "./gateway-log.ts";
import { createLineSplitter } from "./line-splitter.ts";

/** Looked at rather than watched: cheap, and the same on every system and file system. */
const POLL_MS = 100;
const ENDED_EVERY_MS = 500;

/**
 * The log's last lines and, with `follow`, those that come, until `ended` says that nobody writes any
 * more. The file tells neither stream nor time of a line.
 */
export async function* streamLog(
  path: string,
  { tail, follow, signal }: LogOptions,
  ended: () => Promise<boolean>,
): AsyncGenerator<LogLine> {
  const lines = createLineSplitter();
  const { bytes, end } = await readTail(path, tail);
  yield* [...lines.push(bytes)].map(toLogLine);
  let position = end;
  let askAt = 0;
  for (let isOver = !follow; !isOver && !signal.aborted;) {
    // Asked before reading, so that the last words are read too.
    if (performance.now() >= askAt) {
      isOver = await ended();
      askAt = performance.now() + ENDED_EVERY_MS;
    }
    for (;;) {
      const next = await readSince(path, position);
      position = next.end;
      if (next.bytes.length === 0) break;
      for (const line of lines.push(next.bytes)) {
        if (signal.aborted) return;
        yield toLogLine(line);
      }
    }
    if (!isOver) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  if (!signal.aborted) yield* [...lines.end()].map(toLogLine);
}

function toLogLine(message: string): LogLine {
  return { stream: null, timestamp: null, message };
}

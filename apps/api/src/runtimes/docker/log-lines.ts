import type { LogLine } from "@agentpod/types";
import type { LogFrame } from "./log-frames.ts";

/** A longer line comes in pieces. */
const LINE_BYTES_MAX = 256 * 1024;
const NEWLINE = 10;

interface OpenLine {
  timestamp: string | null;
  parts: Buffer[];
  bytes: number;
}

/**
 * Joins frames to lines. The engine cuts long lines at 16 KB and puts the timestamp before each piece.
 * `end` gives what was never finished by a newline.
 */
export function createLineJoiner() {
  const open = new Map<LogFrame["stream"], OpenLine>();

  function close(stream: LogFrame["stream"], { timestamp, parts }: OpenLine): LogLine {
    open.delete(stream);
    return { stream, timestamp, message: Buffer.concat(parts).toString("utf8") };
  }

  return {
    *take({ stream, payload }: LogFrame): Generator<LogLine> {
      const { timestamp, text } = splitTimestamp(payload);
      const line = open.get(stream) ?? { timestamp, parts: [], bytes: 0 };
      const isWhole = text.at(-1) === NEWLINE;
      line.parts.push(Buffer.from(isWhole ? text.subarray(0, -1) : text));
      line.bytes += text.length;
      open.set(stream, line);
      if (isWhole || line.bytes >= LINE_BYTES_MAX) yield close(stream, line);
    },
    *end(): Generator<LogLine> {
      for (const [stream, line] of open) yield close(stream, line);
    },
  };
}

function splitTimestamp(payload: Buffer): { timestamp: string | null; text: Buffer } {
  const space = payload.indexOf(" ");
  const timestamp = space > 0 && space <= 40 ? payload.toString("latin1", 0, space) : "";
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(timestamp)
    ? { timestamp, text: payload.subarray(space + 1) }
    : { timestamp: null, text: payload };
}

import { ENVELOPE_BYTES, type Segment } from "./segment-table.ts";
import type { StagedSession } from "./staged-batch.ts";

/** Type and prompt of `count` events that follow each other. */
export type Run = [count: number, type: string, promptId: string | null];

/** Where a segment ends although the session has more in this commit: it is what a reader is given in one piece. */
const SEGMENT_LENGTH_MAX = 256 * 1024;
const CARRIAGE_RETURN = 13;
const SPACE = 32;

/** The session's staged events, numbered from `first`, in one or more segments. */
export function packSegments(
  { sessionId, events, removedAt }: StagedSession,
  first: number,
  timeMs: number,
): Segment[] {
  const segments: Segment[] = [];
  let start = first;
  let next = first;
  let length = 0;
  let text = "";
  let runs: Run[] = [];
  let run: Run | undefined;

  const finish = (): void => {
    if (next === start) return;
    segments.push({
      sessionId,
      first: start,
      last: next - 1,
      timeMs,
      runs: JSON.stringify(runs),
      bodies: encode(text),
    });
    start = next;
    [length, text, runs, run] = [0, "", [], undefined];
  };

  for (const { type, promptId, members } of events) {
    const isRemoval = next - first === removedAt;
    if (isRemoval || length >= SEGMENT_LENGTH_MAX) finish();
    // Chunks of one answer come in long runs.
    if (run === undefined || run[1] !== type || run[2] !== promptId) runs.push((run = [0, type, promptId]));
    run[0] += 1;
    text += next === start ? members : "\n" + members;
    length += members.length + ENVELOPE_BYTES;
    next += 1;
    if (isRemoval) finish();
  }
  finish();
  return segments;
}

function encode(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  // In JSON a bare one can only be space between tokens; in SSE it would end the line.
  for (let at = bytes.indexOf(CARRIAGE_RETURN); at >= 0; at = bytes.indexOf(CARRIAGE_RETURN, at)) bytes[at] = SPACE;
  return bytes;
}

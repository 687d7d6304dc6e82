import type { StagedEvent } from "../types.ts";
import type { Segment } from "./segment-table.ts";
import type { StagedSession } from "./staged-batch.ts";

/** Where a segment ends although the session has more in this commit: it is what a reader is given in one piece. */
const SEGMENT_LENGTH_MAX = 256 * 1024;
const CARRIAGE_RETURN = 13;
const SPACE = 32;

/** The session's staged events, numbered from `first`, as frames in one or more segments. */
export function renderSegments(session: StagedSession, first: number, time: string): Segment[] {
  const { sessionId, events, removedAt } = session;
  const segments: Segment[] = [];
  const idText = JSON.stringify(sessionId);
  let start = first;
  let seq = first;
  let text = "";
  let known: StagedEvent | undefined;
  let beforeSeq = "";
  let afterSeq = "";

  const finish = (): void => {
    if (seq > start) segments.push({ sessionId, first: start, last: seq - 1, frames: encode(text) });
    start = seq;
    text = "";
  };

  for (const event of events) {
    const isRemoval = seq - first === removedAt;
    if (isRemoval || text.length >= SEGMENT_LENGTH_MAX) finish();
    // Chunks of one answer come in long runs: what is the same in all of them is put together once.
    if (known === undefined || known.type !== event.type || known.promptId !== event.promptId) {
      known = event;
      const prompt = event.promptId === null ? "" : `"promptId":${JSON.stringify(event.promptId)},`;
      beforeSeq = `\nevent: ${event.type}\ndata: {"seq":`;
      afterSeq = `,"time":"${time}","type":"${event.type}","sessionId":${idText},${prompt}`;
    }
    const number = String(seq);
    text += "id: " + number + beforeSeq + number + afterSeq + event.members + "}\n\n";
    seq += 1;
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

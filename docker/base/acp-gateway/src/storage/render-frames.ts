import type { Run } from "./pack-segments.ts";
import type { Segment } from "./segment-table.ts";

const rendered = new WeakMap<Segment, Uint8Array>();

/** The segment's events as SSE frames. All readers of one segment share them. */
export function framesOf(segment: Segment): Uint8Array {
  let frames = rendered.get(segment);
  if (frames === undefined) rendered.set(segment, (frames = render(segment)));
  return frames;
}

const LINE_END = 10;
const ID = Buffer.from("id: ");
const CLOSE = Buffer.from("}\n\n");

/** Puts bytes together, not text: the bodies are most of it, and are copied as they are. */
function render({ sessionId, first, last, timeMs, runs, bodies }: Segment): Uint8Array {
  const time = new Date(timeMs).toISOString();
  const idText = JSON.stringify(sessionId);
  const source = Buffer.from(bodies.buffer, bodies.byteOffset, bodies.byteLength);
  const digits = String(last).length;
  const pieces = (JSON.parse(runs) as Run[]).map(([count, type, promptId]) => {
    const prompt = promptId === null ? "" : `"promptId":${JSON.stringify(promptId)},`;
    const beforeSeq = Buffer.from(`\nevent: ${type}\ndata: {"seq":`);
    const afterSeq = Buffer.from(`,"time":"${time}","type":"${type}","sessionId":${idText},${prompt}`);
    return { count, beforeSeq, afterSeq };
  });
  const frameBytes = ID.length + CLOSE.length + 2 * digits;
  const length = pieces.reduce(
    (sum, { count, beforeSeq, afterSeq }) => sum + count * (frameBytes + beforeSeq.length + afterSeq.length),
    bodies.length,
  );
  const frames = Buffer.allocUnsafeSlow(length);
  let at = 0;
  let read = 0;
  let seq = first;

  const put = (bytes: Uint8Array): void => {
    frames.set(bytes, at);
    at += bytes.length;
  };
  const putNumber = (text: string): void => {
    for (let index = 0; index < text.length; index += 1) frames[at + index] = text.charCodeAt(index);
    at += text.length;
  };

  for (const { count, beforeSeq, afterSeq } of pieces) {
    for (const end = seq + count; seq < end; seq += 1) {
      const number = String(seq);
      const lineEnd = source.indexOf(LINE_END, read);
      const bodyEnd = lineEnd < 0 ? source.length : lineEnd;
      put(ID);
      putNumber(number);
      put(beforeSeq);
      putNumber(number);
      put(afterSeq);
      at += source.copy(frames, at, read, bodyEnd);
      put(CLOSE);
      read = bodyEnd + 1;
    }
  }
  return frames.subarray(0, at);
}

const LINE_END = 10;
const FRAME_END = Buffer.from("\n\n");
const EVENT_LINE = "event: ".length;
const ID_LINE = "id: ".length;

type GapData = { sessionId: string; seq: number; from: number; to: number; time: string };

/** A frame that tells a reader which events are gone. */
export function gapFrame({ sessionId, seq, from, to, time }: GapData): Uint8Array {
  const data = JSON.stringify({ seq, time, type: "gap", sessionId, data: { from, to } });
  return Buffer.from(`id: ${seq}\nevent: gap\ndata: ${data}\n\n`);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `frames` without the first `count` of them. */
export function skipFrames(frames: Uint8Array, count: number): Uint8Array {
  const buffer = asBuffer(frames);
  let at = 0;
  for (let skipped = 0; skipped < count; skipped += 1) at = buffer.indexOf(FRAME_END, at) + FRAME_END.length;
  return buffer.subarray(at);
}

/** Where to cut so that the first part is whole frames: at least one, and about `bytes` at most. */
export function cutAt(frames: Uint8Array, bytes: number): number {
  if (frames.length <= bytes) return frames.length;
  const buffer = asBuffer(frames);
  const before = buffer.lastIndexOf(FRAME_END, bytes - FRAME_END.length);
  return (before >= 0 ? before : buffer.indexOf(FRAME_END)) + FRAME_END.length;
}

/** The number of the frame that begins at `at`. */
export function seqAt(frames: Uint8Array, at: number): number {
  const buffer = asBuffer(frames);
  return Number(buffer.toString("latin1", at + ID_LINE, buffer.indexOf(LINE_END, at)));
}

/** The frames of these types only, in order; null when there are none. */
export function framesOfTypes(frames: Uint8Array, types: ReadonlySet<string>): Uint8Array | null {
  const buffer = asBuffer(frames);
  const runs: Buffer[] = [];
  let runStart = -1;
  for (let at = 0; at < buffer.length;) {
    const type = buffer.indexOf(LINE_END, at) + 1 + EVENT_LINE;
    const isWanted = types.has(buffer.toString("latin1", type, buffer.indexOf(LINE_END, type)));
    if (isWanted && runStart < 0) runStart = at;
    if (!isWanted && runStart >= 0) {
      runs.push(buffer.subarray(runStart, at));
      runStart = -1;
    }
    at = buffer.indexOf(FRAME_END, type) + FRAME_END.length;
  }
  if (runStart >= 0) runs.push(buffer.subarray(runStart));
  const [first] = runs;
  if (first === undefined) return null;
  return runs.length === 1 ? first : Buffer.concat(runs);
}

/** A piece of what a container wrote: one line, or a part of a long one. */
export interface LogFrame {
  stream: "stdout" | "stderr";
  payload: Buffer;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/** The frames of a whole log, as the engine multiplexes them. */
export function* readLogFrames(log: Buffer): Generator<LogFrame> {
  const take = createFrameReader();
  yield* take(log);
}

/** Gives the frames that each further chunk completes, wherever the chunks were cut. */
export function createFrameReader(): (chunk: Buffer) => Generator<LogFrame> {
  let rest = Buffer.alloc(0);
  return function* take(chunk) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      const stream = bytes[at] === STDERR ? "stderr" : "stdout";
      yield { stream, payload: bytes.subarray(at + HEADER_BYTES, end) };
      at = end;
    }
    rest = Buffer.from(bytes.subarray(at));
  };
}

/** One event as a frame of the log gives it. */
export type Frame = { seq: number; data: string };

const decoder = new TextDecoder();

/** The events in a run of whole SSE frames: `id: N`, `event: TYPE` and `data: JSON`, each on one line. */
export function* cutFrames(frames: Uint8Array): Generator<Frame> {
  const text = decoder.decode(frames);
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n\n", start);
    const stop = end < 0 ? text.length : end;
    // The envelope's other lines hold no free text, so the first one that reads like this is it.
    const data = text.indexOf("\ndata: ", start);
    if (data >= 0 && data < stop) yield { seq: seqOf(text, start), data: text.slice(data + 7, stop) };
    start = stop + 2;
  }
}

/** The same events, one a line. */
export function framesAsLines(frames: Uint8Array): Uint8Array {
  let lines = "";
  for (const { data } of cutFrames(frames)) lines += `${data}\n`;
  return new TextEncoder().encode(lines);
}

function seqOf(text: string, start: number): number {
  return text.startsWith("id: ", start) ? Number(text.slice(start + 4, text.indexOf("\n", start))) : 0;
}

import { createChunkedDecoder } from "./chunked.ts";

/** What arrived at once on the socket, and when. */
export type Piece = { data: Buffer; atMs: number };

export type Checked = {
  /** Updates of the flood, each counted once. */
  updates: number;
  /** What is wrong with their order or with the events' numbers; null when nothing is. */
  complaint: string | null;
  /** From the agent's clock to the arrival, of updates that say when they were written. */
  latenciesMs: number[];
};

type Data = { seq?: number; update?: Update; params?: { update?: Update } };
type Update = { content?: { text?: string } };

/** Looks at every event of a kept stream: the numbers of updates, and of events where they have one. */
export function checkFrames(pieces: readonly Piece[]): Checked {
  const latenciesMs: number[] = [];
  let complaint: string | null = null;
  let updates = 0;
  let lastNumber = -1;
  let lastSeq: number | undefined;

  function check(frame: string, atMs: number): void {
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (data === undefined) return;
    const { seq, update, params } = JSON.parse(data) as Data;
    if (seq !== undefined) {
      if (lastSeq !== undefined && seq !== lastSeq + 1) complaint ??= `event ${seq} came after ${lastSeq}`;
      lastSeq = seq;
    }
    const text = (update ?? params?.update)?.content?.text ?? "";
    const number = /^n=(\d+)/.exec(text)?.[1];
    if (number === undefined) return;
    if (Number(number) <= lastNumber) complaint ??= `update ${number} came after ${lastNumber}`;
    lastNumber = Number(number);
    updates += 1;
    const writtenAt = / at=([\d.]+)/.exec(text)?.[1];
    if (writtenAt !== undefined) latenciesMs.push(atMs - Number(writtenAt));
  }

  let rest = "";
  let now = 0;
  const decoder = createChunkedDecoder((bytes) => {
    const frames = (rest + bytes.toString("latin1")).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) check(frame, now);
  });
  for (const { data, atMs } of pieces) {
    now = atMs;
    decoder.push(data);
  }
  return { updates, complaint, latenciesMs };
}

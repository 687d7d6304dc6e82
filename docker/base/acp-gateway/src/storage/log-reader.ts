import type { LogReader, ReaderOptions } from "../types.ts";
import { cutAt, framesOfTypes, gapFrame, seqAt, skipFrames } from "./frames.ts";
import { framesOf } from "./render-frames.ts";
import type { Segment } from "./segment-table.ts";

const CHUNK_BYTES = 256 * 1024;
/** What one call looks through for the wanted types before it lets others have a turn. */
const SCAN_BYTES = 1024 * 1024;

/** What a reader needs to know of the log. `null` stands for all sessions. */
export type ReaderSource = {
  lastSeq(sessionId: string | null): number;
  /** The oldest segments with events after `seq`, at least one if there is any. */
  segments(sessionId: string | null, seq: number, bytes: number): Segment[];
  /** Up to here events are gone that a reader at `seq` would want; 0 when none are. */
  missingThrough(sessionId: string | null, seq: number): number;
  /** Number of the event that told of the session's removal. */
  removedAt(sessionId: string): number | undefined;
  isClosed(): boolean;
  time(): string;
  /** Calls `wake` once at the next commit with an event of the session, or at the close. Returns what ends that. */
  onCommit(sessionId: string | null, wake: () => void): () => void;
};

export function createLogReader(source: ReaderSource, { sessionId: id, after, types }: ReaderOptions): LogReader {
  const sessionId = id ?? null;
  let position = after;
  /** Read but not given yet: ends with the event `restLast`. */
  let rest: Uint8Array | null = null;
  let restLast = 0;
  /** The all-sessions reader was told of gaps up to here; its cursor stays, because other sessions have events there. */
  let gapTold = 0;

  const isBehind = (): boolean => rest !== null || source.lastSeq(sessionId) > position || gapThrough() > 0;

  function gapThrough(): number {
    const through = source.missingThrough(sessionId, Math.max(position, gapTold));
    return through > Math.max(position, gapTold) ? through : 0;
  }

  function gap(through: number): Uint8Array {
    const from = Math.max(position, gapTold) + 1;
    if (sessionId === null) gapTold = through;
    else position = through;
    return gapFrame({ sessionId: sessionId ?? "", seq: position, from, to: through, time: source.time() });
  }

  /** A log that was begun anew has lower numbers than the reader knows: all of it is new to it. */
  function restart(): Uint8Array {
    const to = position;
    position = 0;
    return gapFrame({ sessionId: sessionId ?? "", seq: 0, from: 1, to, time: source.time() });
  }

  function fetch(maxBytes: number): void {
    const segments = source.segments(sessionId, position, maxBytes);
    const [first, ...others] = segments;
    if (first === undefined) {
      position = source.lastSeq(sessionId);
      return;
    }
    const frames = framesOf(first);
    const head = position >= first.first ? skipFrames(frames, position - first.first + 1) : frames;
    rest = others.length === 0 ? head : Buffer.concat([head, ...others.map(framesOf)]);
    restLast = others.at(-1)?.last ?? first.last;
  }

  function give(maxBytes: number): Uint8Array | null {
    if (rest === null) return null;
    const end = cutAt(rest, maxBytes);
    const isAll = end === rest.length;
    const piece = isAll ? rest : rest.subarray(0, end);
    position = isAll ? restLast : seqAt(rest, end) - 1;
    rest = isAll ? null : rest.subarray(end);
    return piece;
  }

  return {
    get position() {
      return position;
    },

    get ended() {
      if (source.isClosed()) return true;
      const removedAt = sessionId === null ? undefined : source.removedAt(sessionId);
      return removedAt !== undefined && position >= removedAt;
    },

    next(maxBytes = CHUNK_BYTES) {
      let scanned = 0;
      while (scanned < SCAN_BYTES && !source.isClosed()) {
        if (rest === null) {
          if (position > source.lastSeq(null)) return restart();
          const missing = gapThrough();
          if (missing > 0) return gap(missing);
          if (source.lastSeq(sessionId) <= position) return null;
          fetch(maxBytes);
        }
        const piece = give(maxBytes);
        if (piece === null) return null;
        const wanted = types === undefined ? piece : framesOfTypes(piece, types);
        if (wanted !== null) return wanted;
        scanned += piece.length;
      }
      return null;
    },

    wait(signal) {
      if (signal?.aborted || this.ended) return Promise.resolve();
      if (isBehind()) return new Promise((resolve) => setImmediate(resolve));
      return new Promise((resolve) => {
        const done = (): void => {
          forget();
          signal?.removeEventListener("abort", done);
          resolve();
        };
        const forget = source.onCommit(sessionId, done);
        signal?.addEventListener("abort", done, { once: true });
      });
    },
  };
}

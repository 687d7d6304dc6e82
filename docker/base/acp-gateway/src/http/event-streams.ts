import { GatewayError } from "../gateway-error.ts";
import type { LogReader } from "../types.ts";

const HEARTBEAT_MS = 15_000;
const CHUNK_BYTES = 128 * 1024;
const BROKEN_OFF = Symbol("broken off");

type StreamDeps = { readers: number; readersPerSession: number; heartbeatMs?: number };

type StreamOptions = {
  /** Empty for all sessions. */
  sessionId: string;
  reader: LogReader;
  /** Sent at once, so that the client sees that it is connected. */
  opening: Uint8Array;
  heartbeat: Uint8Array;
  /** Asked when everything committed is sent: whether nothing is to come. */
  isOver: () => boolean | Promise<boolean>;
  /** Its end tells that it is over: ended sooner, it is broken off, so that its reader comes back. */
  endTells?: boolean;
  /** What the frames are turned into. */
  shape?: (frames: Uint8Array) => Uint8Array;
  /** Called when the stream has ended, whoever ended it. */
  onEnd: () => void;
};

export type EventStreams = ReturnType<typeof createEventStreams>;

/** Streams that pull from the log: a client that does not read costs a chunk, and loses nothing. */
export function createEventStreams({ readers, readersPerSession, heartbeatMs = HEARTBEAT_MS }: StreamDeps) {
  const open = new Set<AbortController>();
  const perSession = new Map<string, number>();

  function take(sessionId: string): void {
    const here = perSession.get(sessionId) ?? 0;
    const isFull = open.size >= readers;
    if (isFull || here >= readersPerSession) {
      const where = isFull ? `${readers} streams are open` : `${readersPerSession} streams of this session are open`;
      throw new GatewayError("too_many_readers", `${where}; close one first`, { retryAfterSeconds: 5 });
    }
    perSession.set(sessionId, here + 1);
  }

  function giveBack(sessionId: string): void {
    const left = (perSession.get(sessionId) ?? 1) - 1;
    if (left > 0) perSession.set(sessionId, left);
    else perSession.delete(sessionId);
  }

  return {
    count: () => open.size,

    /** @throws GatewayError too_many_readers */
    start(options: StreamOptions): ReadableStream<Uint8Array> {
      const { sessionId, reader, opening, heartbeat, isOver, endTells = false, shape, onEnd } = options;
      take(sessionId);
      const ending = new AbortController();
      open.add(ending);
      const patience = createPatience(ending.signal, heartbeatMs);
      let isOpen = true;
      let isOpening = true;
      const end = () => {
        if (!isOpen) return;
        isOpen = false;
        open.delete(ending);
        giveBack(sessionId);
        ending.abort();
        patience.end();
        onEnd();
      };

      async function next(): Promise<Uint8Array | typeof BROKEN_OFF | null> {
        for (;;) {
          const frames = reader.next(CHUNK_BYTES);
          if (frames !== null) return shape ? shape(frames) : frames;
          if (ending.signal.aborted) return !endTells || (await isOver()) ? null : BROKEN_OFF;
          if (reader.ended || (await isOver())) return null;
          if (!(await patience.isMore(reader))) return heartbeat;
        }
      }

      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              const chunk = isOpening ? opening : await next();
              isOpening = false;
              if (chunk !== null && chunk !== BROKEN_OFF) return controller.enqueue(chunk);
              end();
              // Bun would print an error that it is given.
              if (chunk === BROKEN_OFF) controller.error(undefined);
              else controller.close();
            } catch (error) {
              end();
              controller.error(error);
            }
          },
          cancel: end,
        },
        { highWaterMark: 0 },
      );
    },

    /** Ends every stream after what it is just sending. */
    closeAll(): void {
      for (const ending of open) ending.abort();
    },
  };
}

/** Waits for a reader's events, again and again with one timer: under a flood a reader waits thousands of times. */
function createPatience(ended: AbortSignal, ms: number) {
  let over = new AbortController();
  const timer = setTimeout(() => over.abort(), ms);
  const stop = () => over.abort();
  ended.addEventListener("abort", stop, { once: true });

  return {
    /** Until the reader may have more. False when that took longer than `ms`. */
    async isMore(reader: LogReader): Promise<boolean> {
      if (ended.aborted) return true;
      // A client that did not take what it was given let the time pass.
      if (over.signal.aborted) over = new AbortController();
      timer.refresh();
      await reader.wait(over.signal);
      return ended.aborted || !over.signal.aborted;
    },

    end(): void {
      clearTimeout(timer);
      ended.removeEventListener("abort", stop);
    },
  };
}

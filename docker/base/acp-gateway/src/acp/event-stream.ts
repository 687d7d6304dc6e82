import { logLine } from "../log.ts";
import type { Lane } from "./lane.ts";

const PIECE = 64 * 1024;
const KEEP_ALIVE = ":\n\n";

type StreamOptions = {
  keepAliveMs: number;
  /** The client took nothing for so long. */
  stallMs: number;
  onStall: () => void;
  onLeave: () => void;
};

/** A lane as server-sent events: read only as fast as the client reads. */
export function createEventStream(lane: Lane, { keepAliveMs, stallMs, onStall, onLeave }: StreamOptions) {
  const encoder = new TextEncoder();
  /** Resolves the pull that waits for something to give; null while the client is busy with the last. */
  let waiting: (() => void) | null = null;
  let busySince = performance.now();
  let ended = false;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  function give(text: string): void {
    const resume = waiting;
    waiting = null;
    busySince = performance.now();
    controller.enqueue(encoder.encode(text));
    resume?.();
  }

  function deliver(): void {
    if (ended || !waiting) return;
    let text = "";
    try {
      const gave = lane.pull((json) => {
        text += `data: ${json}\n\n`;
      }, PIECE);
      if (text) give(text);
      else if (gave) setImmediate(deliver);
    } catch (error) {
      leave();
      logLine("a stream of /acp failed", { reason: error instanceof Error ? error.stack : String(error) });
      reset();
    }
  }

  /** Breaks the response off. Bun would print an error that it is given. */
  function reset(): void {
    controller.error(undefined);
  }

  const timer = setInterval(() => {
    if (waiting) give(KEEP_ALIVE);
    else if (performance.now() - busySince >= stallMs) onStall();
  }, keepAliveMs);

  function leave(): void {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    waiting?.();
    waiting = null;
    onLeave();
  }

  return {
    deliver,
    /** Ends the response; what the client did not take is dropped. */
    end(): void {
      if (ended) return;
      const idle = waiting !== null;
      leave();
      if (idle) controller.close();
      else reset();
    },
    body: new ReadableStream<Uint8Array>(
      {
        start(given) {
          controller = given;
          // The server sends the headers only with the first byte.
          controller.enqueue(encoder.encode(KEEP_ALIVE));
        },
        pull() {
          const { promise, resolve } = Promise.withResolvers<void>();
          waiting = resolve;
          deliver();
          return promise;
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    ),
  };
}

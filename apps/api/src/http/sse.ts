const encoder = new TextEncoder();

export interface SseFrame {
  id?: number;
  event?: string;
  data: unknown;
}

/** The bytes of frames, for streams that send the same ones to many. */
export function encodeFrames(frames: readonly SseFrame[]): Uint8Array {
  return encoder.encode(frames.map(text).join(""));
}

const text = ({ id, event, data }: SseFrame): string =>
  `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

/**
 * Answers with server-sent events, pulled one at a time, so a slow reader costs no memory. A comment
 * keeps the connection alive while nothing happens.
 * @param frames made with a signal that aborts when the reader has gone; as bytes when encoded already
 */
export function sseResponse(
  frames: (signal: AbortSignal) => AsyncIterable<SseFrame | Uint8Array>,
  options: { heartbeatMs?: number } = {},
): Response {
  const toBytes = (frame: SseFrame | Uint8Array) => (frame instanceof Uint8Array ? frame : encodeFrames([frame]));
  const body = pullStream(frames, toBytes, {
    first: "retry: 3000\n: ok\n\n",
    beat: { text: ": heartbeat\n\n", everyMs: options.heartbeatMs ?? 15_000 },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

/**
 * Answers with plain text that grows as long as `lines` does.
 * @param options.blankAfterMs when there is no line by then, an empty one begins the text
 */
export function textResponse(
  lines: (signal: AbortSignal) => AsyncIterable<string>,
  { blankAfterMs }: { blankAfterMs?: number } = {},
): Response {
  const options = blankAfterMs === undefined ? {} : { opening: { text: "\n", afterMs: blankAfterMs } };
  const body = pullStream(lines, (line) => encoder.encode(`${line}\n`), options);
  return new Response(body, {
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

/** Bun sends the headers with the first byte, so what may be quiet has to begin with something. */
interface StreamOptions {
  /** Sent at once. */
  first?: string;
  /** Sent when nothing else was by then. */
  opening?: { text: string; afterMs: number };
  /** Sent whenever nothing else was for that long at most. */
  beat?: { text: string; everyMs: number };
}

function pullStream<Item>(
  items: (signal: AbortSignal) => AsyncIterable<Item>,
  toBytes: (item: Item) => Uint8Array,
  { first, opening, beat }: StreamOptions,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  let iterator: AsyncIterator<Item> | undefined;
  let openingTimer: ReturnType<typeof setTimeout> | undefined;
  let beatTimer: ReturnType<typeof setInterval> | undefined;
  let isQuiet = false;

  function stopTimers(): void {
    clearTimeout(openingTimer);
    clearInterval(beatTimer);
  }

  function begin(controller: ReadableStreamDefaultController<Uint8Array>): AsyncIterator<Item> {
    if (opening !== undefined) {
      openingTimer = setTimeout(() => controller.enqueue(encoder.encode(opening.text)), opening.afterMs);
    }
    if (beat !== undefined) {
      const bytes = encoder.encode(beat.text);
      beatTimer = setInterval(() => {
        // One that has not taken what it was sent last needs no more of it.
        if (isQuiet && (controller.desiredSize ?? -1) >= 0) controller.enqueue(bytes);
        isQuiet = true;
      }, beat.everyMs / 2);
    }
    return items(gone.signal)[Symbol.asyncIterator]();
  }

  const source: Bun.UnderlyingSource<Uint8Array> = {
    start(controller) {
      if (first !== undefined) controller.enqueue(encoder.encode(first));
    },
    async pull(controller) {
      try {
        iterator ??= begin(controller);
        const { value, done } = await iterator.next();
        clearTimeout(openingTimer);
        if (done === true) {
          stopTimers();
          return controller.close();
        }
        isQuiet = false;
        controller.enqueue(toBytes(value));
      } catch (error) {
        stopTimers();
        throw error;
      }
    },
    cancel() {
      stopTimers();
      gone.abort();
      // One that waits for its next turn, as for a slow reader, does not see the signal.
      iterator?.return?.().catch(() => undefined);
    },
  };
  // Nothing begins before the body is read: the answer to HEAD is dropped without being cancelled.
  return new ReadableStream(source, { highWaterMark: 0 });
}

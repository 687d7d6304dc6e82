const encoder = new TextEncoder();

export interface SseFrame {
  id?: number;
  event?: string;
  data: unknown;
}

const text = ({ id, event, data }: SseFrame): string =>
  `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

/**
 * Answers with server-sent events, pulled one at a time, so a slow reader costs no memory. A comment
 * keeps the connection alive while nothing happens.
 * @param frames made with a signal that aborts when the reader has gone
 */
export function sseResponse(
  frames: (signal: AbortSignal) => AsyncIterable<SseFrame>,
  options: { heartbeatMs?: number } = {},
): Response {
  const body = pullStream(frames, text, {
    first: "retry: 3000\n: ok\n\n",
    beat: ": heartbeat\n\n",
    beatMs: options.heartbeatMs ?? 15_000,
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

/** Answers with plain text that grows as long as `lines` does. */
export function textResponse(lines: (signal: AbortSignal) => AsyncIterable<string>): Response {
  const body = pullStream(lines, (line) => `${line}\n`, { first: "" });
  return new Response(body, {
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function pullStream<Item>(
  items: (signal: AbortSignal) => AsyncIterable<Item>,
  toText: (item: Item) => string,
  { first, beat, beatMs }: { first: string; beat?: string; beatMs?: number },
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  let iterator: AsyncIterator<Item> | undefined;
  let pending: Promise<IteratorResult<Item>> | undefined;
  const source: Bun.UnderlyingSource<Uint8Array> = {
    start(controller) {
      // Bun sends the headers with the first byte.
      if (first !== "") controller.enqueue(encoder.encode(first));
    },
    async pull(controller) {
      iterator ??= items(gone.signal)[Symbol.asyncIterator]();
      pending ??= iterator.next();
      const result = beatMs === undefined ? await pending : await orNothingAfter(pending, beatMs);
      if (result === undefined) return controller.enqueue(encoder.encode(beat));
      pending = undefined;
      if (result.done) controller.close();
      else controller.enqueue(encoder.encode(toText(result.value)));
    },
    cancel() {
      gone.abort();
      // One that waits for its next turn, as for a slow reader, does not see the signal.
      iterator?.return?.().catch(() => undefined);
    },
  };
  // Nothing begins before the body is read: the answer to HEAD is dropped without being cancelled.
  return new ReadableStream(source, { highWaterMark: 0 });
}

async function orNothingAfter<Value>(value: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const nothing = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([value, nothing]);
  } finally {
    clearTimeout(timer);
  }
}

type Sink = { write: (data: string) => unknown; flush: () => unknown; end: () => unknown };

type LineWriterDeps = {
  sink: Sink;
  /** How much may wait for a reader that is slow. */
  maxBytes: number;
  /** More waits than may: the other side does not read. Nothing is taken after that. */
  onStalled: () => void;
};

/** Writes lines to a pipe in order, as fast as its other side reads, and keeps a bounded rest. */
export function createLineWriter({ sink, maxBytes, onStalled }: LineWriterDeps) {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let writing = false;
  let closed = false;
  let ending = false;

  function end(): void {
    closed = true;
    try {
      void Promise.resolve(sink.end()).catch(() => undefined);
    } catch {
      // It was closed by its other side.
    }
  }

  async function drain(): Promise<void> {
    writing = true;
    try {
      while (waiting.length > 0) {
        const text = waiting.join("");
        const bytes = waitingBytes;
        waiting = [];
        await Promise.all([sink.write(text), sink.flush()]);
        waitingBytes -= bytes;
      }
    } catch {
      // The pipe broke: the process is ending, and its end is told elsewhere.
      closed = true;
    }
    writing = false;
    if (ending) end();
  }

  return {
    send(line: string): void {
      if (closed || ending) return;
      waiting.push(line, "\n");
      waitingBytes += Buffer.byteLength(line) + 1;
      if (waitingBytes > maxBytes) {
        closed = true;
        waiting = [];
        return onStalled();
      }
      if (!writing) void drain();
    },

    /** Ends the stream once what waits is written. */
    close(): void {
      ending = true;
      if (!writing && !closed) end();
    },
  };
}

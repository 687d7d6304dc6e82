import { createChunkedDecoder } from "./chunked.ts";
import { monotonicMs } from "./clock.ts";
import { createDigest } from "./digest.ts";
import { type Checked, checkFrames, type Piece } from "./frames.ts";
import { LAST } from "./updates.ts";

export type ReaderOptions = {
  port: number;
  path: string;
  headers: Record<string, string>;
  /** `keep`: everything is kept and looked at afterwards. `digest`: only a checksum of the events is made. */
  mode: "keep" | "digest";
  /** The most it takes in a second; all there is when absent. */
  bytesPerSecond?: number;
  /** Goes away and comes back so often, with the number of the last event it has seen. */
  connectionMs?: number;
  /** Over when nothing came for so long, although the last update did not come. */
  quietMs?: number;
};

export type ReadResult = Checked & { endMs: number; connections: number; digest: string };

const TAIL = 4096;
const STEP_MS = 20;

/** Reads a stream up to the last update. `opened` is called when the answer's head is there. */
export async function read(options: ReaderOptions, opened: () => void): Promise<ReadResult> {
  const { port, path, headers, mode, bytesPerSecond, connectionMs, quietMs } = options;
  const pieces: Piece[] = [];
  const digest = createDigest();
  const over = Promise.withResolvers<void>();
  let tail = "";
  let endMs = 0;
  let connections = 0;
  const state = { isOver: false };
  let quiet: Timer | undefined;

  function finish(): void {
    state.isOver = true;
    over.resolve();
  }

  /** Looks for the last update without looking at all of it. */
  function isLast(data: Buffer): boolean {
    const text = tail + data.toString("latin1", Math.max(0, data.length - TAIL));
    tail = text.slice(-TAIL);
    const at = text.indexOf(LAST);
    return at >= 0 && text.includes("\n\n", at);
  }

  function take(data: Buffer, decoder: ReturnType<typeof createChunkedDecoder>): void {
    endMs = monotonicMs();
    if (mode === "keep") pieces.push({ data, atMs: endMs });
    else decoder.push(data);
    if (isLast(data)) return finish();
    if (quietMs === undefined) return;
    clearTimeout(quiet);
    quiet = setTimeout(finish, quietMs);
  }

  /** One connection; resolves when it is over. */
  async function connect(): Promise<void> {
    connections += 1;
    digest.reconnect();
    const decoder = createChunkedDecoder((bytes) => digest.push(bytes));
    const closed = Promise.withResolvers<void>();
    const lastId = connections > 1 && digest.position() > 0 ? { "last-event-id": String(digest.position()) } : {};
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open(socket) {
          const lines = Object.entries({ host: "127.0.0.1", accept: "text/event-stream", ...headers, ...lastId });
          socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
        },
        data(socket, data) {
          opened();
          try {
            take(data, decoder);
          } catch (error) {
            over.reject(error);
          }
          if (bytesPerSecond === undefined) return;
          // Short steps: what the system holds for it is not to hide how slow it is.
          socket.pause();
          setTimeout(() => socket.resume(), Math.max(STEP_MS, (data.length / bytesPerSecond) * 1000));
        },
        close: () => closed.resolve(),
        error: (_socket, error) => over.reject(error),
      },
    });
    const ended = Promise.race([over.promise, closed.promise]);
    await (connectionMs === undefined ? ended : Promise.race([ended, Bun.sleep(connectionMs)]));
    socket.terminate();
  }

  while (!state.isOver) {
    await connect();
    if (!state.isOver && connectionMs === undefined)
      throw new Error(`the stream of ${path} ended before the last update`);
  }
  return { endMs, connections, digest: digest.text(), ...checkFrames(pieces) };
}

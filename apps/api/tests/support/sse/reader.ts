import { connect, type Socket } from "node:net";

export interface Reader {
  /** Ids of the events it was sent, over all its connections. */
  ids: readonly number[];
  /** What went wrong: a gap, an answer that is none. */
  complaints: readonly string[];
  /** Goes away in the middle of whatever it is being sent, and comes back with what it saw last. */
  reconnect: () => Promise<void>;
  close: () => void;
}

const frameEnd = "\n\n";

/**
 * Reads a stream of events over a socket of its own, as cheaply as it can.
 * Resolves once the stream has begun.
 */
export async function openReader(port: number, path: string, after: number): Promise<Reader> {
  const ids: number[] = [];
  const complaints: string[] = [];
  let socket: Socket | undefined;

  async function open(): Promise<void> {
    let rest = "";
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const mine = connect(port, "127.0.0.1");
    socket = mine;
    mine.setEncoding("latin1");
    mine.write(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nlast-event-id: ${ids.at(-1) ?? after}\r\n\r\n`,
    );
    mine.on("error", reject);
    mine.on("data", (chunk: string) => {
      if (socket !== mine) return;
      rest += chunk;
      const end = rest.lastIndexOf(frameEnd);
      if (end < 0) return;
      take(rest.slice(0, end));
      rest = rest.slice(end + frameEnd.length);
      resolve();
    });
    mine.on("close", () => {
      if (socket === mine) complaints.push(`the stream ended after ${ids.at(-1)}`);
      reject(new Error(`the stream of ${path} did not begin`));
    });
    await promise;
  }

  function take(frames: string): void {
    for (const [, id] of frames.matchAll(/^id: (\d+)$/gm)) ids.push(Number(id));
    if (frames.includes("\nevent: gap")) complaints.push(`a gap: ${frames}`);
    if (frames.startsWith("HTTP/") && !frames.startsWith("HTTP/1.1 200 ")) complaints.push(frames);
  }

  await open();
  return {
    ids,
    complaints,
    reconnect() {
      socket?.resetAndDestroy();
      return open();
    },
    close() {
      const last = socket;
      socket = undefined;
      last?.resetAndDestroy();
    },
  };
}

import { connect, type Socket } from "node:net";
import { TOKENS } from "./tokens.ts";

/** A TCP connection whose reading can be stopped, so that the other side finds its buffers full. */
export async function connectTcp(url: string, headers: Record<string, string>) {
  const { hostname, port, pathname } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  let received: Buffer = Buffer.alloc(0);
  let bytes = 0;
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    received = Buffer.concat([received, chunk]).subarray(-1024 * 1024);
  });
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  const authorization = `Bearer ${TOKENS.main}`;
  const lines = Object.entries({ host: `${hostname}:${port}`, authorization, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`GET ${pathname} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);

  return {
    socket,
    ended,
    get bytes() {
      return bytes;
    },
    /** Waits for this text among what was received last. */
    async until(text: string): Promise<void> {
      const deadline = Date.now() + 10_000;
      while (!received.includes(text)) {
        if (Date.now() > deadline) throw new Error(`did not receive ${text}`);
        await Bun.sleep(5);
      }
    },
    received: () => received,
    /** Sends a text frame, masked with zeros. */
    frame(text: string): void {
      const payload = Buffer.from(text);
      const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]);
      socket.write(Buffer.concat([head, payload]));
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

export const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": btoa("sixteen bytes 16"),
};

import { connect } from "node:net";

/** Sends these bytes over a connection of its own and gives all that comes until it ends, or until `enough` says so. */
export function rawRequest(
  port: number,
  parts: Iterable<string | Uint8Array>,
  enough: (text: string) => boolean = (text) => text.includes("\r\n\r\n"),
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let isOver = false;
  let goOn: () => void = () => undefined;
  const end = () => {
    isOver = true;
    goOn();
    socket.destroy();
    resolve(text);
  };
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (enough(text)) end();
  });
  socket.on("drain", () => goOn());
  socket.on("close", end);
  socket.on("error", end);
  void (async () => {
    for (const part of parts) {
      if (isOver) return;
      if (!socket.write(part)) await new Promise<void>((resolve) => (goOn = resolve));
    }
  })();
  return promise;
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

import { createConnection } from "node:net";
import type { Connection, ConnectionEvents, Desktop } from "./desktop.ts";
import type { PageFiles } from "./pages.ts";

const UNSENT_BYTES_MAX = 4 * 1024 * 1024;

/** A VNC server on a unix socket, shown by the noVNC page among `pages`. */
export function createVncDesktop({ socketPath, pages }: { socketPath: string; pages: PageFiles }): Desktop {
  return {
    page: (_request, path) => (path === "/" ? pages.answer("desktop.html") : undefined),
    connect: (events) => connect(socketPath, events),
    ready: () => accepts(socketPath),
  };
}

function connect(socketPath: string, events: ConnectionEvents): Connection {
  const socket = createConnection(socketPath);
  socket.on("data", (chunk) => {
    if (events.data(chunk) === "wait") socket.pause();
  });
  let reason = "the desktop closed the connection";
  socket.on("error", (error) => {
    reason = `the desktop cannot be reached: ${error.message}`;
  });
  socket.on("close", () => events.end(reason));
  return {
    send(chunk) {
      socket.write(chunk);
      return socket.writableLength <= UNSENT_BYTES_MAX;
    },
    resume: () => socket.resume(),
    close: () => socket.destroy(),
  };
}

async function accepts(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection(socketPath);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAttempts } from "../../src/attempts.ts";
import type { Desktop } from "../../src/desktop.ts";
import { readPages } from "../../src/pages.ts";
import { createPasswordCheck } from "../../src/password.ts";
import { startServer } from "../../src/server.ts";
import { createSessions } from "../../src/sessions.ts";
import { createVncDesktop } from "../../src/vnc-desktop.ts";

export const PASSWORD = "correct horse & battery=ä";
export const GREETING = "RFB 003.008\n";

/** A clock that stands until it is moved. */
interface Clock {
  now: () => number;
  move: (seconds: number) => void;
}

function createClock(): Clock {
  let time = 1_700_000_000_000;
  return { now: () => time, move: (seconds) => void (time += seconds * 1000) };
}

/** A VNC server on a unix socket that greets, and hands each connection to `talk`. */
async function startScreen(socketPath: string, talk: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.write(GREETING);
    talk(socket);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(socketPath, resolve);
  await promise;
  return {
    open: () => sockets.size,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The web server with a screen behind it that sends back what it gets, and a clock of its own. */
export async function startWorld(options: { talk?: (socket: Socket) => void; desktop?: Desktop } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "gui-server-"));
  const clock = createClock();
  const socketPath = join(folder, "vnc.sock");
  const screen = await startScreen(socketPath, options.talk ?? ((socket) => void socket.pipe(socket)));
  const pagesFolder = join(folder, "pages");
  for (const name of ["desktop.html", "login.html", "style.css"]) {
    await Bun.write(join(pagesFolder, name), Bun.file(join(import.meta.dir, "../../page", name)));
  }
  await Bun.write(join(pagesFolder, "desktop.js"), "export {};\n");
  const pages = await readPages(pagesFolder);
  const server = startServer({
    hostname: "127.0.0.1",
    port: 0,
    pages,
    desktop: options.desktop ?? createVncDesktop({ socketPath, pages }),
    sessions: createSessions({ now: clock.now }),
    attempts: createAttempts({ now: clock.now }),
    isPassword: createPasswordCheck(PASSWORD),
  });
  const origin = `http://127.0.0.1:${server.port}`;

  const get = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: "manual", ...init });
  const logIn = (password: string, headers: Record<string, string> = { origin }) =>
    get("/login", { method: "POST", headers, body: new URLSearchParams({ password }) });

  return {
    origin,
    clock,
    screen,
    get,
    logIn,
    /** @returns the header that carries a fresh session */
    async cookie(): Promise<string> {
      const answer = await logIn(PASSWORD);
      return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      screen.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A WebSocket client that keeps what it was sent. */
export async function openSocket(origin: string, headers: Record<string, string>, protocols: string[] = []) {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/websockify`, { headers, protocols });
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<boolean>();
  const closed = Promise.withResolvers<number>();
  const chunks: Uint8Array[] = [];
  socket.addEventListener("open", () => opened.resolve(true));
  socket.addEventListener("error", () => opened.resolve(false));
  socket.addEventListener("close", ({ code }) => closed.resolve(code));
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) chunks.push(new Uint8Array(data));
  });
  return {
    socket,
    opened: await opened.promise,
    closed: closed.promise,
    received: () => Buffer.concat(chunks),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Resolves when `condition` holds; throws after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true within 5 s");
    await Bun.sleep(5);
  }
}

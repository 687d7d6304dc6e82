import net from "node:net";
import { CoolifyError } from "../../src/index.ts";

/** A small HTTP server for one test. */
export function serve(answer: (request: Request) => Response | Promise<Response>) {
  const requests: { method: string; path: string; headers: Record<string, string> }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      requests.push({ method: request.method, path: pathname + search, headers: Object.fromEntries(request.headers) });
      return answer(request);
    },
  });
  return {
    url: server.url.origin,
    requests,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

/** A bare TCP server, for connections that break; `onRequest` gets each connection with its first bytes. */
export async function serveSockets(onRequest: (socket: net.Socket, head: string) => void) {
  const heads: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      const head = bytes.toString().split("\r\n")[0] ?? "";
      heads.push(head);
      onRequest(socket, head);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    heads,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The CoolifyError that a call rejects with; anything else fails the test. */
export async function failureFrom(call: Promise<unknown>): Promise<CoolifyError> {
  const outcome: unknown = await call.catch((error: unknown) => error);
  if (outcome instanceof CoolifyError) return outcome;
  throw new Error(`expected a CoolifyError, got ${Bun.inspect(outcome)}`);
}

import { createTestApp, type TestAppOptions } from "./app.ts";

/** An API whose one project has, for its gateway, whatever listens on `port`. */
export async function createProxied(port: number, options: TestAppOptions = {}) {
  const test = createTestApp(options);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodySize: 1024 ** 3,
    fetch: test.app.fetch,
    websocket: test.app.websocket,
  });
  const token = options.auth?.token;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const made = await test.call(
    "POST",
    "/api/projects",
    { name: "Stand-in", addonIds: [] },
    { ...headers, prefer: "wait=5" },
  );
  const projectId = String(made.body.project.id);
  test.db.run("UPDATE port_allocations SET port = ?1 WHERE project_id = ?2 AND name = 'gateway'", [port, projectId]);
  const place = `/api/projects/${projectId}/agent`;
  return {
    ...test,
    projectId,
    place,
    port: server.port ?? 0,
    url: `http://127.0.0.1:${server.port}${place}`,
    socketUrl: `ws://127.0.0.1:${server.port}${place}`,
    async [Symbol.asyncDispose]() {
      test.app.close();
      await server.stop(true);
      await test.close();
    },
  };
}

export interface Heard {
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** A gateway of a test: what it hears is kept, what it answers is the test's. */
export function serveGateway(
  answer: (request: Request, path: string) => Response | Promise<Response>,
  socket: {
    open?: (socket: GatewaySocket) => void;
    message?: (socket: GatewaySocket, data: string | Buffer) => void;
  } = {},
) {
  const heard: Heard[] = [];
  const closes: [code: number, reason: string][] = [];
  const sockets: GatewaySocket[] = [];
  let pings = 0;
  const server = Bun.serve<{ path: string }>({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: 1024 ** 3,
    fetch(request, server) {
      const path = request.url.slice(request.url.indexOf("/", 8));
      heard.push({ method: request.method, path, headers: Object.fromEntries(request.headers) });
      if (request.headers.get("upgrade") === "websocket" && !path.startsWith("/v1/refused")) {
        const offered = request.headers.get("sec-websocket-protocol")?.split(", ") ?? [];
        request.headers.delete("sec-websocket-protocol");
        const chosen = offered.at(-1);
        const headers: Record<string, string> = { "acp-connection-id": "c1", "set-cookie": "gateway=secret" };
        if (chosen !== undefined) headers["sec-websocket-protocol"] = chosen;
        if (server.upgrade(request, { data: { path }, headers })) return undefined;
      }
      return answer(request, path);
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      backpressureLimit: 1024 ** 3,
      open(ws) {
        sockets.push(ws);
        socket.open?.(ws);
      },
      message: (ws, data) => socket.message?.(ws, data),
      ping: () => void (pings += 1),
      close: (_, code, reason) => void closes.push([code, reason]),
    },
  });
  return {
    heard,
    closes,
    sockets,
    pings: () => pings,
    port: server.port ?? 0,
    stop: () => server.stop(true),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

export type GatewaySocket = Bun.ServerWebSocket<{ path: string }>;

/** A client's WebSocket and all that came over it. */
export function openSocket(url: string, options: { protocols?: string[]; headers?: Record<string, string> } = {}) {
  const socket = new WebSocket(url, options);
  socket.binaryType = "nodebuffer";
  const messages: (string | Buffer)[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("message", ({ data }) => void messages.push(data as string | Buffer));
  socket.addEventListener("close", ({ code, reason }) => {
    closed.resolve({ code, reason });
    opened.reject(new Error(`closed with ${code} ${reason}`));
  });
  opened.promise.catch(() => undefined);
  return { socket, messages, opened: opened.promise, closed: closed.promise };
}

import type { Connection, ConnectionEvents, Desktop } from "./desktop.ts";

const UNSENT_BYTES_MAX = 4 * 1024 * 1024;
/** These speak of one connection only, or of a body that `fetch` has already unpacked. */
const HEADERS_OF_THE_HOP = ["connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"];

/**
 * KasmVNC's own web server and page on loopback. It is asked with a password that only the developer
 * can read, so that other users of the machine cannot go around the login.
 * @param origin such as `http://127.0.0.1:6081`
 */
export function createKasmDesktop({ origin, user, password }: KasmAccess): Desktop {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return {
    page: (request, path) => relay(request, new URL(path + new URL(request.url).search, origin), authorization),
    connect: (events, protocols) => connect(new URL("/websockify", origin), { events, protocols, authorization }),
    async ready() {
      const answer = await fetch(origin, { headers: { authorization } }).catch(() => undefined);
      return answer?.ok ?? false;
    },
  };
}

export interface KasmAccess {
  origin: string;
  user: string;
  password: string;
}

async function relay(request: Request, target: URL, authorization: string): Promise<Response> {
  const headers = new Headers({ authorization });
  for (const name of ["accept", "accept-language", "content-type", "if-modified-since", "if-none-match", "range"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const body = request.method === "GET" || request.method === "HEAD" ? null : await request.arrayBuffer();
  try {
    const answer = await fetch(target, { method: request.method, headers, body, redirect: "manual" });
    const passed = new Headers(answer.headers);
    for (const name of HEADERS_OF_THE_HOP) passed.delete(name);
    return new Response(answer.body, { status: answer.status, headers: passed });
  } catch {
    return new Response("the desktop is not running yet; try again in a moment\n", { status: 503 });
  }
}

interface ConnectOptions {
  events: ConnectionEvents;
  protocols: readonly string[];
  authorization: string;
}

function connect(url: URL, { events, protocols, authorization }: ConnectOptions): Connection {
  const socket = new WebSocket(url.href.replace(/^http/, "ws"), {
    headers: { authorization, origin: url.origin },
    protocols: [...protocols],
  });
  socket.binaryType = "arraybuffer";
  const early: Uint8Array<ArrayBuffer>[] = [];
  let earlyBytes = 0;
  socket.addEventListener("open", () => {
    for (const chunk of early.splice(0)) socket.send(chunk);
  });
  socket.addEventListener("message", ({ data }) => {
    // A WebSocket cannot be paused; the browser's side is closed when it keeps too much for a slow reader.
    events.data(data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data)));
  });
  socket.addEventListener("close", () => events.end("the desktop closed the connection"));
  return {
    send(chunk) {
      if (socket.readyState === WebSocket.OPEN) socket.send(chunk);
      else if (socket.readyState === WebSocket.CONNECTING) {
        // The caller's buffer may be used again before the connection stands.
        early.push(chunk.slice());
        earlyBytes += chunk.byteLength;
      }
      return earlyBytes + socket.bufferedAmount <= UNSENT_BYTES_MAX;
    },
    resume() {},
    close: () => socket.close(),
  };
}

import type { Server } from "bun";
import type { Attempts } from "./attempts.ts";
import { createBridge, type Bridge, type Viewer } from "./bridge.ts";
import { sessionOf, setSession } from "./cookie.ts";
import type { Desktop } from "./desktop.ts";
import type { PageFiles, PageName } from "./pages.ts";
import type { Sessions } from "./sessions.ts";

const BODY_BYTES_MAX = 64 * 1024;
const PUBLIC_FILES: Readonly<Record<string, PageName>> = {
  "/login/style.css": "style.css",
  "/login/desktop.js": "desktop.js",
};

export interface ServerDeps {
  hostname: string;
  port: number;
  desktop: Desktop;
  pages: PageFiles;
  sessions: Sessions;
  attempts: Attempts;
  isPassword: (presented: string) => boolean;
}

/** Serves the desktop on one port to those who logged in. Only `/health` and the login need no session. */
export function startServer(deps: ServerDeps): Server<Viewer> {
  const bridge = createBridge(deps.desktop);
  return Bun.serve({
    hostname: deps.hostname,
    port: deps.port,
    maxRequestBodySize: BODY_BYTES_MAX,
    websocket: bridge.handler,
    fetch: (request, server) => answer(request, { ...deps, bridge, server }),
    error: () => text(500, "the desktop's server failed"),
  });
}

type Context = ServerDeps & { bridge: Bridge; server: Server<Viewer> };

async function answer(request: Request, context: Context): Promise<Response | undefined> {
  const path = new URL(request.url).pathname;
  const { pages, sessions, desktop } = context;
  if (path === "/health") return only(request, ["GET", "HEAD"]) ?? health(desktop);
  if (path === "/login") return only(request, ["GET", "HEAD", "POST"]) ?? login(request, context);
  if (path === "/logout") return only(request, ["POST"]) ?? logout(request, context);
  const file = PUBLIC_FILES[path];
  if (file) return only(request, ["GET", "HEAD"]) ?? pages.answer(file);

  const session = sessionOf(request);
  if (path === "/websockify") return connect(request, context, session);
  if (!sessions.stands(session)) {
    return path === "/" ? seeOther("/login") : text(401, "log in at /login first");
  }
  if (request.method !== "GET" && request.method !== "HEAD" && !isOwnOrigin(request)) {
    return text(403, "this page may not be used from another site");
  }
  return (await desktop.page(request, path)) ?? text(404, "nothing is served here");
}

async function health(desktop: Desktop): Promise<Response> {
  const ready = await desktop.ready();
  return Response.json({ status: ready ? "ok" : "starting" }, { status: ready ? 200 : 503 });
}

async function login(request: Request, context: Context): Promise<Response> {
  const { pages, sessions, attempts, isPassword, server } = context;
  if (request.method !== "POST") {
    return sessions.stands(sessionOf(request)) ? seeOther("/") : pages.answer("login.html");
  }
  if (!isOwnOrigin(request)) return pages.answer("login.html", { status: 403, message: "Log in from this page." });
  const address = server.requestIP(request)?.address ?? "";
  const wait = attempts.secondsToWait(address);
  if (wait > 0) {
    const message = `Too many wrong passwords. Try again in ${wait} s.`;
    return pages.answer("login.html", { status: 429, message, headers: { "retry-after": String(wait) } });
  }
  const password = new URLSearchParams(await request.text()).get("password") ?? "";
  if (!isPassword(password)) {
    attempts.failed(address);
    return pages.answer("login.html", { status: 401, message: "This is not the password." });
  }
  return seeOther("/", { "set-cookie": setSession(request, sessions.open()) });
}

function logout(request: Request, { sessions, bridge }: Context): Response {
  if (!isOwnOrigin(request)) return text(403, "log out from the desktop's own page");
  const session = sessionOf(request);
  if (session !== undefined) {
    sessions.close(session);
    bridge.endSession(session);
  }
  return seeOther("/login", { "set-cookie": setSession(request, undefined) });
}

function connect(request: Request, { sessions, server }: Context, session: string | undefined): Response | undefined {
  if (!sessions.stands(session)) return text(401, "log in at /login first");
  if (!isOwnOrigin(request)) return text(403, "the desktop may not be opened from another site");
  const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(/\s*,\s*/);
  const protocols = offered.filter((name) => name === "binary");
  const headers = protocols.length > 0 ? { headers: { "sec-websocket-protocol": "binary" } } : {};
  if (server.upgrade(request, { data: { session, protocols }, ...headers })) return undefined;
  return new Response("this address takes WebSocket connections only\n", {
    status: 426,
    headers: { upgrade: "websocket", connection: "upgrade" },
  });
}

/** Browsers name the page's origin in every POST and WebSocket; a request without one is not ours either. */
function isOwnOrigin(request: Request): boolean {
  const origin = URL.parse(request.headers.get("origin") ?? "");
  const own = URL.parse(`http://${request.headers.get("host") ?? ""}`);
  return origin !== null && own !== null && origin.host === own.host;
}

function only(request: Request, methods: readonly string[]): Response | undefined {
  if (methods.includes(request.method)) return undefined;
  return text(405, `use ${methods.join(", ")}`, { allow: methods.join(", ") });
}

function seeOther(location: string, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store", ...headers } });
}

function text(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(`${message}\n`, { status, headers: { "cache-control": "no-store", ...headers } });
}

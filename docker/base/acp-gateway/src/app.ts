import { requireScope, type AuthHandler } from "./auth-handler.ts";
import { GatewayError } from "./gateway-error.ts";
import type { BodyReader } from "./http/body.ts";
import { createInvoke, type Incoming } from "./http/invoke.ts";
import { createOriginCheck } from "./http/origins.ts";
import { createRouter } from "./http/router.ts";
import type { Surface } from "./http/surface.ts";
import { createSocketDispatcher, isUpgrade } from "./http/websockets.ts";
import type { RequestMetrics } from "./metrics/requests.ts";
import { asGatewayError, problem } from "./problem.ts";
import type { GatewayConfig } from "./types.ts";

type AppDeps = {
  config: Pick<GatewayConfig, "hosts" | "origins" | "limits">;
  surfaces: readonly Surface[];
  auth: AuthHandler;
  bodies: BodyReader;
  metrics: RequestMetrics;
  /** The gateway ends and takes nothing new. */
  isClosing: () => boolean;
};

type Sockets = ReturnType<typeof createSocketDispatcher>;
/** Learnt of a request while it is answered. */
type Seen = { path: string; isAuthenticated: boolean };
type Server = Parameters<Sockets["upgrade"]>[1]["server"];

/** Everything over HTTP: who may call at all, then the route table, then what every answer carries. */
export function createApp({ config, surfaces, auth, bodies, metrics, isClosing }: AppDeps) {
  const { limits } = config;
  const routes = surfaces.flatMap((surface) => surface.routes ?? []);
  const sockets = createSocketDispatcher(
    surfaces.flatMap((surface) => surface.sockets ?? []),
    { sockets: limits.sockets, messageBytes: limits.lineBytes },
  );
  const origins = createOriginCheck(config);
  const router = createRouter(routes, createInvoke({ bodies, bodyBytes: limits.bodyBytes }));
  const httpPaths = new Set(routes.map(({ path }) => path));
  const publicPaths = new Set(routes.filter(({ scope }) => scope === "public").map(({ path }) => path));
  const inFlight = new Set<Request>();

  async function answer(request: Request, server: Server, requestId: string, seen: Seen) {
    const url = new URL(request.url);
    const isPublic = publicPaths.has(url.pathname);
    if (!isPublic) origins.requireHost(request.headers);
    origins.requireOrigin(request.headers);
    const preflight = origins.preflight(request);
    if (preflight) return preflight;
    const caller = isPublic ? null : auth.authenticate(request, url);
    seen.isAuthenticated = caller !== null;
    // Asking how the gateway fares must stay possible while it is full.
    if (!isPublic && inFlight.size > limits.requestsInFlight) {
      throw new GatewayError("too_many_requests", "the gateway is busy; try again in a second", {
        retryAfterSeconds: 1,
        headers: { connection: "close" },
      });
    }
    if (caller !== null && isClosing()) throw new GatewayError("shutting_down", "the gateway is shutting down");
    const socket = caller === null ? undefined : sockets.find(url.pathname);
    if (caller !== null && socket && (isUpgrade(request.headers) || !httpPaths.has(socket.route.path))) {
      seen.path = socket.route.path;
      requireScope(caller, socket.route.scope);
      if (isUpgrade(request.headers)) return sockets.upgrade(socket, { request, url, caller, server });
      throw new GatewayError("upgrade_required", "this path speaks WebSocket only", {
        headers: { upgrade: "websocket" },
      });
    }
    const incoming: Incoming = { request, url, caller, requestId, keepOpen: () => server.timeout(request, 0) };
    return router.answer(request, incoming, (path) => (seen.path = path));
  }

  /** For Bun.serve. Undefined once the connection is a WebSocket. */
  async function fetch(request: Request, server: Server): Promise<Response | undefined> {
    const startedAt = performance.now();
    const requestId = requestIdOf(request.headers);
    const seen: Seen = { path: "", isAuthenticated: false };
    let response: Response | undefined;
    inFlight.add(request);
    try {
      response = await answer(request, server, requestId, seen);
    } catch (error) {
      response = problem(asGatewayError(error, { path: seen.path, requestId }), requestId);
    } finally {
      inFlight.delete(request);
    }
    const isTimed = response !== undefined && !asksToWait(request);
    metrics.count(
      request.method,
      seen.path,
      response?.status ?? 101,
      isTimed ? performance.now() - startedAt : undefined,
    );
    if (response === undefined) return undefined;
    finish(response.headers, requestId);
    // Nobody unknown is to hold a connection, of which there are only so many.
    if (!seen.isAuthenticated) response.headers.set("connection", "close");
    origins.share(response.headers, request.headers);
    return request.method === "HEAD" && response.body !== null ? new Response(null, response) : response;
  }

  return {
    fetch,
    routes,
    sockets,
    inFlight: () => inFlight.size,
    /** Those that are being answered. */
    requests: (): Iterable<Request> => inFlight,
  };
}

function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/** How long the answer took is the caller's wish. */
function asksToWait({ url, headers }: Request): boolean {
  return /[?&]wait=/.test(url) || /\bwait\b/i.test(headers.get("prefer") ?? "");
}

function finish(headers: Headers, requestId: string): void {
  headers.set("x-request-id", requestId);
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  // A file that is shown in a browser must not run as a page of this origin.
  headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
}

import { GatewayError } from "../gateway-error.ts";
import { logLine } from "../log.ts";
import type { Caller, Scope } from "../types.ts";

type SocketData = { handlers: SocketHandlers; path: string };
export type Socket = Bun.ServerWebSocket<SocketData>;

export type SocketRequest = {
  url: URL;
  params: Record<string, string>;
  headers: Headers;
  caller: Caller;
  /** The first of the route's protocols that the client offered. */
  protocol: string | null;
};

/** What one connection does. An exception closes the socket with 1011. */
export type SocketHandlers = {
  /** Sent with the 101. */
  headers?: Record<string, string>;
  open?(socket: Socket): void;
  message(data: string | Buffer): void;
  /** There is room again after a send that found none. */
  drain?(): void;
  close?(code: number, reason: string): void;
};

/** A path that speaks WebSocket. */
export type SocketRoute = {
  /** Such as `/acp/raw/:agent`. */
  path: string;
  scope: Scope;
  /** Subprotocols, most wanted first. A client that offers none of them is served without one. */
  protocols?: readonly string[];
  summary: string;
  /** Called once the caller is known and may do this, before the 101. Refuses by throwing a GatewayError. */
  connect(request: SocketRequest): SocketHandlers | Promise<SocketHandlers>;
};

/** Browsers that offered something want one of it back, which the token must not be. */
const OWN_PROTOCOL = "agentpod";

type Limits = { sockets: number; messageBytes: number };

/** Upgrades requests to the routes' paths and hands each socket's events to its own handlers. */
export function createSocketDispatcher(routes: readonly SocketRoute[], limits: Limits) {
  const compiled = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  const sockets = new Set<Socket>();
  /** Accepted, but not yet open. */
  let opening = 0;

  function find(pathname: string) {
    for (const { route, pattern } of compiled) {
      const groups = pattern.exec(pathname)?.groups;
      if (groups) return { route, params: decoded(groups) };
    }
    return undefined;
  }

  return {
    find,

    /** Undefined once the connection is a WebSocket. @throws GatewayError, also whatever `connect` throws */
    async upgrade(
      { route, params }: NonNullable<ReturnType<typeof find>>,
      { request, url, caller, server }: { request: Request; url: URL; caller: Caller; server: Bun.Server<SocketData> },
    ): Promise<undefined> {
      if (sockets.size + opening >= limits.sockets) {
        throw new GatewayError("too_many_requests", `${limits.sockets} WebSockets are open; close one first`, {
          retryAfterSeconds: 1,
        });
      }
      opening += 1;
      try {
        const offered = offeredProtocols(request.headers);
        const protocol = route.protocols?.find((name) => offered.includes(name)) ?? null;
        const handlers = await route.connect({ url, params, headers: request.headers, caller, protocol });
        // Bun answers with what the client offered unless told otherwise, and that may hold its token.
        request.headers.delete("sec-websocket-protocol");
        const agreed = protocol ?? (offered.includes(OWN_PROTOCOL) ? OWN_PROTOCOL : null);
        const headers = { ...handlers.headers, ...(agreed !== null && { "sec-websocket-protocol": agreed }) };
        if (!server.upgrade(request, { data: { handlers, path: route.path }, headers })) {
          handlers.close?.(1006, "the connection was gone before it opened");
          throw new GatewayError("invalid_request", "the WebSocket handshake is not complete");
        }
      } finally {
        opening -= 1;
      }
    },

    count: () => sockets.size,

    /** Tells every client that the gateway goes. */
    closeAll(): void {
      for (const socket of sockets) socket.close(1001, "the gateway is shutting down");
    },

    websocket: {
      maxPayloadLength: limits.messageBytes,
      idleTimeout: 120,
      sendPings: true,
      perMessageDeflate: false,
      // Each route watches getBufferedAmount itself and stops long before; this is what even a mistake may take.
      backpressureLimit: 64 * 1024 * 1024,
      closeOnBackpressureLimit: false,
      open(socket: Socket) {
        sockets.add(socket);
        guard(socket, () => socket.data.handlers.open?.(socket));
      },
      message(socket: Socket, data: string | Buffer) {
        guard(socket, () => socket.data.handlers.message(data));
      },
      drain(socket: Socket) {
        guard(socket, () => socket.data.handlers.drain?.());
      },
      close(socket: Socket, code: number, reason: string) {
        sockets.delete(socket);
        guard(socket, () => socket.data.handlers.close?.(code, reason));
      },
    },
  };
}

export function offeredProtocols(headers: Headers): string[] {
  return (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
}

export const isUpgrade = (headers: Headers): boolean => headers.get("upgrade")?.toLowerCase() === "websocket";

function guard(socket: Socket, act: () => void): void {
  try {
    act();
  } catch (error) {
    logLine("socket failed", { path: socket.data.path, reason: error instanceof Error ? error.stack : String(error) });
    socket.close(1011, "internal error");
  }
}

function patternOf(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith(":") ? `(?<${part.slice(1)}>[^/]+)` : RegExp.escape(part)));
  // A group that is always there makes `groups` an object for paths without parameters.
  return new RegExp(`^${parts.join("/")}(?<end_>)$`);
}

function decoded(groups: Record<string, string>): Record<string, string> {
  const { end_: _, ...params } = groups;
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeOnce(value)]));
}

function decodeOnce(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

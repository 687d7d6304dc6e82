export interface SocketData {
  handlers: SocketHandlers;
}

export type Socket = Bun.ServerWebSocket<SocketData>;
export type Server = Bun.Server<SocketData>;

/** What one connection does. */
export interface SocketHandlers {
  open: (socket: Socket) => void;
  message: (data: string | Buffer) => void;
  /** What was sent has gone out. */
  drain: () => void;
  close: (code: number, reason: string) => void;
}

export type Sockets = ReturnType<typeof createSockets>;

/** Longest message that a client may send, in bytes; as much as the gateway takes. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;

/** All WebSockets of the API; `websocket` is for `Bun.serve`. */
export function createSockets() {
  const open = new Set<Socket>();
  return {
    websocket: {
      maxPayloadLength: MESSAGE_BYTES_MAX,
      idleTimeout: 120,
      sendPings: true,
      perMessageDeflate: false,
      // Who sends looks at what waits and stops long before; a message is never dropped for it.
      backpressureLimit: 3 * MESSAGE_BYTES_MAX,
      closeOnBackpressureLimit: false,
      open(socket: Socket): void {
        open.add(socket);
        socket.data.handlers.open(socket);
      },
      message: (socket: Socket, data: string | Buffer): void => socket.data.handlers.message(data),
      drain: (socket: Socket): void => socket.data.handlers.drain(),
      close(socket: Socket, code: number, reason: string): void {
        open.delete(socket);
        socket.data.handlers.close(code, reason);
      },
    },

    /** Tells every client that the API ends. */
    closeAll(): void {
      for (const socket of open) socket.close(1001, "the API is ending");
    },
  };
}

/**
 * Makes the request's connection a WebSocket. What it gives stands for the answer, which was sent by then.
 * Null when the handshake was not one.
 */
export function upgrade(
  request: Request,
  server: Server,
  { handlers, headers }: SocketData & { headers: Headers },
): Response | null {
  // Bun would accept the first subprotocol that is offered, which may be the caller's token.
  request.headers.delete("sec-websocket-protocol");
  const isUpgraded = server.upgrade(request, { data: { handlers }, headers });
  return isUpgraded ? new Response(null, { status: 101 }) : null;
}

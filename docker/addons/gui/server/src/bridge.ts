import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Connection, Desktop } from "./desktop.ts";

const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const WRONG_DATA = 1003;
const TOO_MUCH = 1009;

export interface Viewer {
  session: string;
  protocols: readonly string[];
  connection?: Connection;
}

export interface Bridge {
  handler: WebSocketHandler<Viewer>;
  /** Ends the viewers of a session that was closed. */
  endSession: (session: string) => void;
}

/** Carries bytes between browsers and the desktop; the slower side makes the faster one wait. */
export function createBridge({ connect }: Pick<Desktop, "connect">): Bridge {
  const viewers = new Set<ServerWebSocket<Viewer>>();
  return {
    handler: {
      idleTimeout: 120,
      sendPings: true,
      maxPayloadLength: MESSAGE_BYTES_MAX,
      backpressureLimit: UNREAD_BYTES_MAX,
      closeOnBackpressureLimit: true,
      open(ws) {
        viewers.add(ws);
        ws.data.connection = connect(
          {
            data: (chunk) => (ws.sendBinary(chunk) === -1 ? "wait" : "more"),
            end: (reason) => ws.close(GOING_AWAY, reason.slice(0, 120)),
          },
          ws.data.protocols,
        );
      },
      message(ws, message) {
        if (typeof message === "string") ws.close(WRONG_DATA, "send binary messages");
        else if (ws.data.connection?.send(message) === false) ws.close(TOO_MUCH, "the desktop reads too slowly");
      },
      drain: (ws) => ws.data.connection?.resume(),
      close(ws) {
        viewers.delete(ws);
        ws.data.connection?.close();
      },
    },
    endSession(session) {
      for (const ws of viewers) if (ws.data.session === session) ws.close(GOING_AWAY, "logged out");
    },
  };
}

import { GatewayError } from "../gateway-error.ts";
import type { Caller, EventLog, SessionManager } from "../types.ts";
import type { Approvals } from "./approvals.ts";
import { type Connection, createConnection } from "./connection.ts";
import type { AcpLimits } from "./limits.ts";

type RegistryDeps = {
  log: EventLog;
  sessions: SessionManager;
  approvals: Approvals;
  limits: AcpLimits;
  now: () => number;
};

export type Registry = ReturnType<typeof createRegistry>;

/** The connections there are. One that is over HTTP and that nobody uses any more is ended. */
export function createRegistry({ log, sessions, approvals, limits, now }: RegistryDeps) {
  const connections = new Map<string, Connection>();
  let timer: Timer | undefined;

  function sweep(): void {
    for (const connection of connections.values()) {
      if (connection.kind === "http" && isUnused(connection)) {
        connection.close(new GatewayError("connection_not_found", "nobody used the connection"));
      }
    }
  }

  function isUnused(connection: Connection): boolean {
    if (connection.main.taken) return false;
    for (const lane of connection.lanes.values()) if (lane.taken) return false;
    return now() - connection.usedAt > limits.idleMs;
  }

  return {
    /** @throws GatewayError too_many_connections */
    create(kind: Connection["kind"], caller: Caller, agent: string | null): Connection {
      if (connections.size >= limits.connections) {
        throw new GatewayError("too_many_connections", `${limits.connections} clients are connected already`, {
          retryAfterSeconds: 5,
        });
      }
      const connection = createConnection(
        { log, sessions, limits },
        {
          id: crypto.randomUUID(),
          caller,
          kind,
          agent,
          now,
          onPending: (asker, sessionId, emit) => approvals.offer(asker, sessionId, emit),
          onForget: (asker, sessionId) => approvals.forget(asker, sessionId),
          onClose(closed) {
            approvals.leave(closed);
            connections.delete(closed.id);
            if (connections.size > 0) return;
            clearInterval(timer);
            timer = undefined;
          },
        },
      );
      connections.set(connection.id, connection);
      timer ??= setInterval(sweep, Math.max(50, limits.idleMs / 4));
      return connection;
    },

    /** A connection is known only to who made it. @throws GatewayError connection_not_found */
    get(id: string, caller: Caller): Connection {
      const connection = connections.get(id);
      if (connection && connection.caller.name === caller.name) return connection;
      throw new GatewayError("connection_not_found", "Unknown Acp-Connection-Id; initialize a new connection");
    },

    count: () => connections.size,

    /** Sessions that clients follow; one over HTTP reads only while it holds the session's stream. */
    readers(): number {
      let count = 0;
      for (const { kind, lanes } of connections.values()) {
        for (const { feed, taken } of lanes.values()) if (feed && (kind === "socket" || taken)) count += 1;
      }
      return count;
    },

    closeAll(): void {
      for (const connection of connections.values()) {
        connection.close(new GatewayError("shutting_down", "the gateway is shutting down"));
      }
    },
  };
}

import type { BodyReader } from "../http/body.ts";
import { route } from "../http/route.ts";
import type { Surface } from "../http/surface.ts";
import type { AgentManager, EventLog, SessionManager } from "../types.ts";
import { createApprovals } from "./approvals.ts";
import { createAcpHttp } from "./http.ts";
import { ACP_LIMITS, type AcpLimits } from "./limits.ts";
import { createRawSockets } from "./raw.ts";
import { createReceiver } from "./receive.ts";
import { createRegistry } from "./registry.ts";
import { createAcpSockets } from "./socket.ts";

type AcpDeps = {
  log: EventLog;
  sessions: SessionManager;
  agents: AgentManager;
  bodies: BodyReader;
  /** Of the gateway. */
  version: string;
  workspace: string;
  /** Of one message. */
  bodyBytes: number;
  limits?: AcpLimits;
  now?: () => number;
};

/** `/acp`, the protocol itself with the gateway as the agent, and `/acp/raw/:agent`, an agent's own stdio. */
export function createAcpSurface(deps: AcpDeps) {
  const { log, sessions, agents, bodies, version, workspace, bodyBytes, limits = ACP_LIMITS, now = Date.now } = deps;
  const approvals = createApprovals(sessions);
  const registry = createRegistry({ log, sessions, approvals, limits, now });
  const receive = createReceiver({ log, sessions, agents, version }, limits);
  const http = createAcpHttp({ registry, receive, sessions, bodies, limits, bodyBytes });
  const raw = createRawSockets({ agents, sessions, workspace, limits });

  return {
    routes: [
      route({
        method: "POST",
        path: "/acp",
        scope: "read",
        summary: "Sends one message of the Agent Client Protocol; initialize makes a connection",
        body: "raw",
        responses: {
          200: { description: "The answer to initialize, with Acp-Connection-Id", types: ["application/json"] },
          202: { description: "Taken; an answer comes on a stream" },
        },
        errors: ["connection_not_found", "unsupported_media_type", "too_many_connections", "body_too_large"],
        handler: (context) => {
          context.keepOpen();
          return http.post(context.request, context.caller);
        },
      }),
      route({
        method: "GET",
        path: "/acp",
        scope: "read",
        summary: "Messages of the Agent Client Protocol to the client, of the connection or of one session",
        responses: { 200: { description: "Messages as server-sent events", types: ["text/event-stream"] } },
        errors: ["connection_not_found", "session_not_found", "not_acceptable", "stream_in_use"],
        handler: (context) => {
          context.keepOpen();
          return http.get(context.request, context.caller);
        },
      }),
      route({
        method: "DELETE",
        path: "/acp",
        scope: "read",
        summary: "Ends a connection of the Agent Client Protocol; its sessions go on",
        responses: { 202: { description: "Ended" } },
        errors: ["connection_not_found"],
        handler: ({ request, caller }) => http.remove(request, caller),
      }),
    ],
    sockets: [
      {
        path: "/acp",
        scope: "read",
        protocols: ["acp.v1"],
        summary: "The Agent Client Protocol; one text frame is one message",
        connect: createAcpSockets({ registry, receive, limits }),
      },
      {
        path: "/acp/raw/:agent",
        scope: "admin",
        protocols: ["acp.v1"],
        summary: "A process of the agent for this socket alone, its lines untouched",
        connect: raw.connect,
      },
    ],
    /** What is held for clients now. */
    counts: () => ({
      connections: registry.count(),
      readers: registry.readers(),
      questions: approvals.count(),
      processes: raw.count(),
    }),
    async close() {
      approvals.close();
      registry.closeAll();
      await raw.close();
    },
  } satisfies Surface & { counts(): object };
}

import { ApiError } from "../http/problem.ts";
import { type Server, upgrade } from "../http/sockets.ts";
import { agreedProtocol } from "../http/upgrade.ts";
import type { AgentGateways } from "../services/agent-gateway.ts";
import type { StreamMetrics } from "../services/metrics/streams.ts";
import { answerBody } from "./answer-body.ts";
import { createCaller } from "./call.ts";
import { dial } from "./dial.ts";
import { forward, refusalOf } from "./forward.ts";
import { towardsClient } from "./headers.ts";
import { createRelay, type RelayPace } from "./relay.ts";

export interface AgentProxyDeps {
  gateways: AgentGateways;
  /** Is told of each stream and WebSocket, and of its end. */
  streams: Pick<StreamMetrics, "opened">;
  pace?: Partial<RelayPace>;
}

export interface AgentRequest {
  request: Request;
  requestId: string;
  projectId: string;
  /** At the gateway, with its query. */
  path: string;
  /** Where the gateway's root is at the API. */
  place: string;
  /** Absent when the app is called without a listening server. */
  server: Server | undefined;
}

export type AgentProxy = ReturnType<typeof createAgentProxy>;

/** Carries requests and WebSockets to the gateways of projects, with the gateways' own tokens. */
export function createAgentProxy({ gateways, streams, pace = {} }: AgentProxyDeps) {
  const caller = createCaller();

  const exchangeOf = ({ request, requestId, projectId, path, place, server }: AgentRequest) => ({
    request,
    requestId,
    path,
    place,
    gateway: gateways.find(projectId),
    explain: (saw: string) => gateways.explain(projectId, saw),
    keepOpen: () => server?.timeout(request, 0),
    opened: () => streams.opened("agent"),
  });

  return {
    /** @throws ApiError when there is no gateway to answer */
    answer: (asked: AgentRequest): Promise<Response> => forward(exchangeOf(asked), caller),

    /** The gateway's refusal, or what stands for an answer once the connection is a WebSocket. @throws ApiError */
    async connect(asked: AgentRequest): Promise<Response> {
      const { request, projectId, requestId, place, server } = asked;
      if (server === undefined) throw new ApiError("invalid_request", "There is no connection to make a WebSocket of");
      const exchange = exchangeOf(asked);
      server.timeout(request, 0);
      const dialled = await dial(exchange, caller);
      const headers = towardsClient(dialled.answer.headers, place);
      if (dialled.kind === "answered") {
        const { answer } = dialled;
        const refusal = refusalOf(answer, exchange);
        if (refusal === null) return new Response(answerBody(answer), { status: answer.statusCode ?? 502, headers });
        answer.destroy();
        throw refusal;
      }
      headers.set("x-request-id", requestId);
      const protocol = agreedProtocol(request.headers, dialled.answer.headers["sec-websocket-protocol"]);
      if (protocol !== undefined) headers.set("sec-websocket-protocol", protocol);
      const { connection, head } = dialled;
      const handlers = createRelay({
        connection,
        head,
        whyLost: () => whyLost(gateways.explain(projectId, "it closed the connection")),
        closed: streams.opened("agent"),
        pace,
      });
      const answer = upgrade(request, server, { handlers, headers });
      if (answer !== null) return answer;
      handlers.close(1006, "");
      throw new ApiError("invalid_request", "The WebSocket handshake is not complete");
    },

    close: (): void => caller.close(),
  };
}

/** 1014 is a bad gateway; one whose project was stopped has gone away. */
const whyLost = ({ code, detail = "" }: ApiError): { code: number; reason: string } => ({
  code: code === "gateway_unreachable" ? 1014 : 1001,
  reason: `${code}: ${detail}`,
});

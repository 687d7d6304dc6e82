import { GatewayError } from "../gateway-error.ts";
import type { AgentSessionHandlers } from "../types.ts";
import type { JsonObject, RpcErrorShape } from "../wire/index.ts";
import { RPC, toRpcError } from "./rpc-error.ts";

export type RequestId = string | number | bigint | null;

const IN_FLIGHT_MAX = 1024;

type IncomingRequestsDeps = {
  send: (line: string) => void;
  /** Has an error that is none of ours logged. */
  onBug: (error: unknown) => void;
};

/** The agent's requests to us: each gets one answer with the id it came with, as the agent wrote it. */
export function createIncomingRequests({ send, onBug }: IncomingRequestsDeps) {
  const running = new Map<RequestId, AbortController>();

  function sendError(id: RequestId, error: RpcErrorShape): void {
    send(answerText(id, "error", error));
  }

  async function serve(id: RequestId, method: string, params: JsonObject, handlers: AgentSessionHandlers) {
    if (running.has(id)) return sendError(id, { code: RPC.invalidRequest, message: "a request with this id is open" });
    if (running.size >= IN_FLIGHT_MAX) return sendError(id, { code: RPC.internal, message: "too many open requests" });
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const result = await handlers.onRequest(method, params, abort.signal);
      send(answerText(id, "result", result));
    } catch (error) {
      if (!abort.signal.aborted && !(error instanceof GatewayError)) onBug(error);
      sendError(id, toRpcError(error, abort.signal.aborted));
    } finally {
      running.delete(id);
    }
  }

  return {
    /** Never throws and never rejects. */
    take(id: RequestId, method: string, params: JsonObject, handlers: AgentSessionHandlers): void {
      void serve(id, method, params, handlers);
    },

    sendError,

    /** `$/cancel_request` of the agent. */
    cancel(id: unknown): void {
      running.get(id as RequestId)?.abort(new DOMException("The agent cancelled the request", "AbortError"));
    },

    abortAll(): void {
      for (const abort of running.values()) abort.abort(new GatewayError("agent_exited", "the agent ended"));
    },
  };
}

function answerText(id: RequestId, member: "result" | "error", value: unknown): string {
  return `{"jsonrpc":"2.0","id":${typeof id === "bigint" ? id : JSON.stringify(id)},"${member}":${JSON.stringify(value)}}`;
}

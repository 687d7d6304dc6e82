import { GatewayError } from "../gateway-error.ts";
import type { JsonObject } from "../wire/index.ts";
import { isObject } from "./json-shape.ts";
import type { Redactor } from "./redactor.ts";
import { fromRpcError } from "./rpc-error.ts";

export type RequestOptions = { timeoutMs?: number; signal?: AbortSignal };

type Pending = {
  method: string;
  sessionId: string | undefined;
  resolve: (result: JsonObject) => void;
  reject: (error: unknown) => void;
};

type PendingRequestsDeps = { agentId: string; redactor: Redactor; send: (line: string) => void };

/** Answered with the id of a session nobody has heard of before. */
const MAKES_SESSION = new Set(["session/new", "session/fork"]);

/** Our requests to one process: one id space, each ended by an answer, a timeout, an abort or the process's end. */
export function createPendingRequests({ agentId, redactor, send }: PendingRequestsDeps) {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let over: GatewayError | null = null;

  const messageText = (message: JsonObject): string => JSON.stringify({ jsonrpc: "2.0", ...message });

  /** Ends a request whose answer nobody waits for any more, and tells the agent. */
  function giveUp(id: number, reason: unknown): void {
    const request = pending.get(id);
    if (!request) return;
    send(messageText({ method: "$/cancel_request", params: { requestId: id } }));
    request.reject(reason);
  }

  return {
    request(method: string, params: JsonObject, { timeoutMs, signal }: RequestOptions = {}): Promise<JsonObject> {
      if (over) return Promise.reject(over);
      if (signal?.aborted) return Promise.reject(abortReason(signal));
      redactor.learnFrom(method, params);
      const id = ++lastId;
      const line = messageText({ id, method, params });
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
      const late = () => giveUp(id, new GatewayError("agent_timeout", `${agentId} did not answer ${method} in time`));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      const abort = () => signal && giveUp(id, abortReason(signal));
      signal?.addEventListener("abort", abort, { once: true });
      const settle = () => {
        pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const sessionId = typeof params["sessionId"] === "string" ? params["sessionId"] : undefined;
      pending.set(id, {
        method,
        sessionId,
        resolve: (result) => (settle(), resolve(result)),
        reject: (error) => (settle(), reject(error)),
      });
      send(line);
      return promise;
    },

    /** Takes an answer of the agent; false when nobody waits for it, the id of the session that it has made. */
    answer(message: Record<string, unknown>): boolean | string {
      const id = message["id"];
      const request = typeof id === "number" ? pending.get(id) : undefined;
      if (!request) return typeof id === "number" && id > 0 && id <= lastId;
      const { result, error } = message as { result: JsonObject | null; error: unknown };
      if (error !== undefined && error !== null) {
        request.reject(fromRpcError(agentId, request.method, error, redactor));
      } else if (result === null || isObject(result)) {
        request.resolve(result ?? {});
        const made = MAKES_SESSION.has(request.method) ? result?.["sessionId"] : undefined;
        if (typeof made === "string" && made !== "") return made;
      } else {
        request.reject(new GatewayError("agent_protocol", `${agentId} answered ${request.method} with no object`));
      }
      return true;
    },

    /** A session is being made whose id is not known yet. */
    isOpening: (): boolean => [...pending.values()].some(({ method }) => MAKES_SESSION.has(method)),

    /** The session a request of ours was about. */
    sessionOf: (id: unknown): string | undefined => (typeof id === "number" ? pending.get(id)?.sessionId : undefined),

    /** The process is gone: everything that waits fails now, and so does what comes later. */
    fail(error: GatewayError): void {
      over ??= error;
      for (const request of pending.values()) request.reject(error);
    },
  };
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException("The request was aborted", "AbortError");
}

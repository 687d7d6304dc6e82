import { GatewayError } from "../gateway-error.ts";
import { logLine } from "../log.ts";
import type { JsonObject, RpcErrorShape } from "../wire/index.ts";
import type { Call, MethodDeps } from "./call.ts";
import type { Connection } from "./connection.ts";
import { answerText, errorText, idKey, type Incoming, isRpcId, RPC, type RpcId } from "./json-rpc.ts";
import type { AcpLimits } from "./limits.ts";
import { methodOf } from "./methods.ts";
import { cancelTurn } from "./prompt-method.ts";
import { rpcErrorOf } from "./rpc-error.ts";
import { requireMethodScope } from "./scopes.ts";

type Request = Extract<Incoming, { kind: "request" }>;

/** Does what a client's message says. Every request is answered once, unless its client is gone. */
export function createReceiver(deps: MethodDeps, limits: AcpLimits) {
  /** Requests under way. */
  const open = { count: 0 };
  return function receive(connection: Connection, message: Incoming): void {
    connection.touch();
    if (message.kind === "request") void request(deps, { limits, open }, connection, message);
    else if (message.kind === "notification") notification(deps, connection, message.method, message.params);
    else if (message.kind === "response") connection.answered(message.id, message.result);
    else if (message.kind === "invalid") {
      connection.send(errorText(message.id, { code: RPC.invalidRequest, message: message.message }), null);
    }
  };
}

/** The stream an answer belongs to: what asks for a session's history is answered on the connection's. */
function routeOf(method: string, params: JsonObject): string | null {
  const { sessionId } = params;
  return typeof sessionId === "string" && method !== "session/load" ? sessionId : null;
}

type Bounds = { limits: AcpLimits; open: { count: number } };

const TWICE = { code: RPC.invalidRequest, message: "Invalid request: a request with this id waits for its answer" };

function tooMany(waiting: number, { limits, open }: Bounds): RpcErrorShape | undefined {
  if (waiting < limits.requests && open.count < limits.allRequests) return undefined;
  const reached = waiting < limits.requests ? limits.allRequests : limits.requests;
  return { code: RPC.internal, message: `${reached} requests wait already`, data: { code: "too_many_requests" } };
}

async function request(
  deps: MethodDeps,
  { limits, open }: Bounds,
  connection: Connection,
  message: Request,
): Promise<void> {
  const { id, method, params } = message;
  const key = idKey(id);
  const refusal = connection.running.has(key) ? TWICE : tooMany(connection.running.size, { limits, open });
  if (refusal) return connection.send(errorText(id, refusal), routeOf(method, params));
  open.count += 1;
  const call = createCall(connection, message, key);
  try {
    requireMethodScope(method, connection.caller);
    const result = await methodOf(method)(deps, call);
    if (result) call.reply(result);
  } catch (error) {
    call.fail(error);
  } finally {
    open.count -= 1;
  }
}

function createCall(connection: Connection, { id, method, params }: Request, key: string): Call {
  let answered = false;
  let cancelled = false;
  const entry = {
    cancel: () => {
      cancelled = true;
    },
  };
  connection.running.set(key, entry);

  function answer(text: string, emit?: (json: string) => void): void {
    if (answered) return;
    answered = true;
    if (connection.running.get(key) === entry) connection.running.delete(key);
    if (connection.closed) return;
    const route = routeOf(method, params);
    // Over HTTP what is being given is a session's stream, and this answer may belong to the other one.
    if (emit && (connection.kind === "socket" || route !== null)) emit(text);
    else connection.send(text, route);
  }

  const call: Call = {
    method,
    params,
    connection,
    reply: (result, emit) => answer(answerText(id, result), emit),
    refuse: (error, emit) => answer(errorText(id, error), emit),
    fail(error, emit) {
      const known = rpcErrorOf(error);
      if (!known)
        logLine("a request over /acp failed", { method, reason: error instanceof Error ? error.stack : String(error) });
      call.refuse(known ?? { code: RPC.internal, message: "Internal error" }, emit);
    },
    onCancel(cancel) {
      entry.cancel = cancel;
      if (cancelled) cancel();
    },
  };
  return call;
}

function notification({ sessions }: MethodDeps, connection: Connection, method: string, params: JsonObject): void {
  if (method === "$/cancel_request") {
    const requestId: unknown = params["requestId"];
    if (isRpcId(requestId)) connection.cancelRequest(requestId satisfies RpcId);
    return;
  }
  const { sessionId } = params;
  // All others, $/ping among them, ask nothing of the gateway.
  if (method !== "session/cancel" || typeof sessionId !== "string") return;
  if (!connection.caller.scopes.has("prompt")) return;
  cancelTurn(sessions, sessionId, connection.feed(sessionId)).catch((error: unknown) => {
    if (!(error instanceof GatewayError)) logLine("a cancel over /acp failed", { sessionId, reason: String(error) });
  });
}

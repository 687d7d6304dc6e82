import { GatewayError } from "../gateway-error.ts";
import type { BodyReader } from "../http/body.ts";
import { parseJson } from "../http/parse-json.ts";
import type { Caller, SessionManager } from "../types.ts";
import type { JsonObject } from "../wire/index.ts";
import type { Connection } from "./connection.ts";
import { createEventStream } from "./event-stream.ts";
import { classify, errorText, type Incoming, isObject, NO_BATCHES } from "./json-rpc.ts";
import type { Lane } from "./lane.ts";
import type { AcpLimits } from "./limits.ts";
import type { createReceiver } from "./receive.ts";
import type { Registry } from "./registry.ts";
import { overlongId } from "./socket.ts";

type HttpDeps = {
  registry: Registry;
  receive: ReturnType<typeof createReceiver>;
  sessions: SessionManager;
  bodies: BodyReader;
  limits: AcpLimits;
  bodyBytes: number;
};

const CONNECTION = "acp-connection-id";
const SESSION = "acp-session-id";
const SESSION_METHODS = new Set(
  ["cancel", "close", "delete", "fork", "load", "prompt", "resume", "set_config_option", "set_mode", "set_model"].map(
    (name) => `session/${name}`,
  ),
);

/** `/acp` over Streamable HTTP: messages of the client by POST, those to it on long GETs. */
export function createAcpHttp({ registry, receive, sessions, bodies, limits, bodyBytes }: HttpDeps) {
  async function post(request: Request, caller: Caller): Promise<Response> {
    if (mediaType(request.headers.get("content-type")) !== "application/json") {
      throw new GatewayError("unsupported_media_type", "send Content-Type: application/json");
    }
    const value = parseJson(await bodies.read(request, bodyBytes));
    if (Array.isArray(value)) return jsonAnswer(errorText(null, NO_BATCHES), 400);
    if (!isObject(value)) throw invalid("Invalid JSON-RPC message: send an object");
    const tooLong = overlongId(value, limits.idLength);
    if (tooLong) throw invalid(tooLong);
    const message = classify(value);
    const id = request.headers.get(CONNECTION);
    if (value["jsonrpc"] === "2.0" && value["method"] === "initialize") {
      if (id !== null) throw invalid("Initialize not allowed on existing connection");
      if (message.kind !== "request" || message.id === null) throw invalid("Initialize request must include an ID");
      return await initialize(request, caller, message);
    }
    const connection = connectionOf(request, caller);
    checkSession(connection, message, value, request.headers.get(SESSION));
    if (message.kind === "request" && connection.held.bytes >= limits.socketBytes) {
      throw new GatewayError("too_many_requests", "read what waits on the connection's streams first", {
        retryAfterSeconds: 1,
      });
    }
    receive(connection, message);
    return new Response(null, { status: 202 });
  }

  /** The one answer that comes in the POST's own response. */
  async function initialize(request: Request, caller: Caller, message: Incoming): Promise<Response> {
    const connection = registry.create("http", caller, new URL(request.url).searchParams.get("agent"));
    const { promise, resolve } = Promise.withResolvers<string>();
    connection.serve((lane) => {
      lane.pull(resolve, Number.MAX_SAFE_INTEGER);
      if (connection.closed) resolve("");
    });
    receive(connection, message);
    const text = await promise;
    connection.serve(() => {});
    if (connection.client === null) connection.close(new GatewayError("invalid_request", "initialize was refused"));
    if (text === "") throw new GatewayError("shutting_down", "the gateway is shutting down");
    return jsonAnswer(text, connection.closed ? 400 : 200, connection.closed ? {} : { [CONNECTION]: connection.id });
  }

  function get(request: Request, caller: Caller): Response {
    if (!request.headers.get("accept")?.toLowerCase().includes("text/event-stream")) {
      throw new GatewayError("not_acceptable", "send Accept: text/event-stream, or upgrade to a WebSocket");
    }
    const connection = connectionOf(request, caller);
    const sessionId = request.headers.get(SESSION);
    if (sessionId === null) return stream(connection, connection.main, null);
    if (sessionId.length > limits.idLength) throw invalid(`Session ID exceeds ${limits.idLength} characters`);
    if (!connection.lanes.has(sessionId)) sessions.get(sessionId);
    return stream(connection, connection.lane(sessionId), sessionId);
  }

  function stream(connection: Connection, lane: Lane, sessionId: string | null): Response {
    if (lane.taken) {
      throw new GatewayError("stream_in_use", "Outbound stream already has an active receiver");
    }
    lane.taken = true;
    connection.touch();
    const events = createEventStream(lane, {
      keepAliveMs: limits.pingMs,
      stallMs: limits.stallMs,
      onStall: () => connection.close(new GatewayError("too_many_requests", "the client reads nothing")),
      onLeave() {
        lane.taken = false;
        lane.onWork = null;
        connection.touch();
        if (sessionId !== null) connection.sweep(sessionId);
      },
    });
    lane.onWork = () => (connection.closed ? events.end() : events.deliver());
    return new Response(events.body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        [CONNECTION]: connection.id,
        ...(sessionId === null ? {} : { [SESSION]: sessionId }),
      },
    });
  }

  function remove(request: Request, caller: Caller): Response {
    connectionOf(request, caller).close(new GatewayError("connection_not_found", "the client ended the connection"));
    return new Response(null, { status: 202 });
  }

  function connectionOf(request: Request, caller: Caller): Connection {
    const id = request.headers.get(CONNECTION);
    if (id === null) throw invalid("Missing Acp-Connection-Id");
    return registry.get(id, caller);
  }

  return { post, get, remove };
}

/** What is of a session must say so in its header too. @throws GatewayError invalid_request */
function checkSession(connection: Connection, message: Incoming, value: JsonObject, header: string | null): void {
  if (message.kind === "response") {
    const asked = connection.askedOf(message.id);
    if (asked === undefined) return;
    if (header === null) throw invalid("Missing Acp-Session-Id");
    if (header !== asked) throw invalid("Mismatched Acp-Session-Id");
    return;
  }
  const { method, params } = value;
  const named = isObject(params) && typeof params["sessionId"] === "string" ? params["sessionId"] : undefined;
  const needed = named !== undefined || (typeof method === "string" && SESSION_METHODS.has(method));
  if (needed && header === null) throw invalid("Missing Acp-Session-Id");
  if (named !== undefined && header !== named) throw invalid("Mismatched Acp-Session-Id");
}

function mediaType(header: string | null): string | undefined {
  return header?.split(";", 1)[0]?.trim().toLowerCase();
}

function invalid(detail: string): GatewayError {
  return new GatewayError("invalid_request", detail);
}

function jsonAnswer(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
}

import { isTooDeep } from "../agents/json-depth.ts";
import { GatewayError } from "../gateway-error.ts";
import type { SocketHandlers, SocketRequest } from "../http/websockets.ts";
import type { JsonObject } from "../wire/index.ts";
import type { Connection } from "./connection.ts";
import { classify, errorText, isObject, NO_BATCHES, RPC } from "./json-rpc.ts";
import type { AcpLimits } from "./limits.ts";
import { createPump } from "./pump.ts";
import type { createReceiver } from "./receive.ts";
import type { Registry } from "./registry.ts";

type SocketDeps = { registry: Registry; receive: ReturnType<typeof createReceiver>; limits: AcpLimits };

/** `/acp` over a WebSocket: one text frame is one message, and the first must be `initialize`. */
export function createAcpSockets({ registry, receive, limits }: SocketDeps) {
  return function connect({ url, caller }: Pick<SocketRequest, "url" | "caller">): SocketHandlers {
    const connection = registry.create("socket", caller, url.searchParams.get("agent"));
    let pump: ReturnType<typeof createPump> | undefined;
    let initializing = false;

    function take(message: JsonObject): void {
      const incoming = classify(message);
      if (!initializing) {
        const { kind } = incoming;
        // Keep-alives and answers to nothing may come at any time.
        if (kind === "stray" || kind === "response") return;
        if (kind === "notification" && incoming.method.startsWith("$/")) return;
        if (kind === "invalid") return refuse(incoming.message);
        if (incoming.method !== "initialize") return pump?.stop(1002, "First message must be initialize");
        if (kind !== "request" || incoming.id === null) {
          return pump?.stop(1002, "Initialize request must include an ID");
        }
        initializing = true;
      } else if (incoming.kind === "request" && incoming.method === "initialize") {
        const error = { code: RPC.invalidRequest, message: "Initialize not allowed on existing connection" };
        return connection.send(errorText(incoming.id, error), null);
      }
      const tooLong = overlongId(message, limits.idLength);
      if (tooLong) return pump?.stop(1008, tooLong);
      receive(connection, incoming);
    }

    function refuse(message: string): void {
      connection.send(errorText(null, { code: RPC.invalidRequest, message }), null);
    }

    return {
      headers: { "acp-connection-id": connection.id },
      open(socket) {
        const started = createPump(connection, socket, limits);
        pump = started;
        connection.serve(() => {
          const reason = connection.closed;
          if (reason) started.stop(reason.code === "shutting_down" ? 1001 : 1008, reason.message.slice(0, 120));
          else started.schedule();
        });
      },
      message(data) {
        if (typeof data !== "string" || connection.closed) return;
        const value = parsed(data);
        if (value === undefined) {
          connection.send(errorText(null, { code: RPC.parse, message: "Parse error" }), null);
        } else if (Array.isArray(value)) connection.send(errorText(null, NO_BATCHES), null);
        else if (!isObject(value)) refuse("Invalid request: not an object");
        else take(value);
      },
      drain: () => pump?.drained(),
      close() {
        pump?.end();
        endQuietly(connection);
      },
    };
  };
}

function endQuietly(connection: Connection): void {
  connection.serve(() => {});
  connection.close(new GatewayError("connection_not_found", "the client is gone"));
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(text) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Why the message's ids are too long to be kept; undefined when they are not. */
export function overlongId({ id, params }: JsonObject, length: number): string | undefined {
  if (typeof id === "string" && id.length > length) return `Request ID exceeds ${length} characters`;
  const sessionId = isObject(params) ? params["sessionId"] : undefined;
  if (typeof sessionId === "string" && sessionId.length > length) return `Session ID exceeds ${length} characters`;
  return undefined;
}

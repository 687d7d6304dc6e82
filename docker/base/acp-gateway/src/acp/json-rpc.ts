import type { JsonObject, JsonValue, RpcErrorShape } from "../wire/index.ts";

export type RpcId = string | number | null;

/** A message of a client, told apart. */
export type Incoming =
  | { kind: "request"; id: RpcId; method: string; params: JsonObject }
  | { kind: "notification"; method: string; params: JsonObject }
  | { kind: "response"; id: RpcId; result?: JsonValue; error?: JsonValue }
  /** Looks like an answer, but is none that could be used. */
  | { kind: "stray" }
  /** `id` is null where the message has none that could be answered. */
  | { kind: "invalid"; id: RpcId; message: string };

export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  cancelled: -32800,
  authRequired: -32000,
  notFound: -32002,
} as const;

export const NO_BATCHES: RpcErrorShape = {
  code: RPC.invalidRequest,
  message: "Invalid request: JSON-RPC batches are not supported",
};

export function classify(message: JsonObject): Incoming {
  const { jsonrpc, id, method, params, result, error } = message;
  const hasId = "id" in message;
  if (!("method" in message) && (hasId || "result" in message || "error" in message)) {
    const usable = jsonrpc === "2.0" && isRpcId(id) && "result" in message !== "error" in message;
    if (!usable) return { kind: "stray" };
    return result === undefined
      ? { kind: "response", id, ...(error === undefined ? {} : { error }) }
      : { kind: "response", id, result };
  }
  if (jsonrpc !== "2.0" || typeof method !== "string" || (hasId && !isRpcId(id))) {
    return { kind: "invalid", id: null, message: "Invalid request: not a JSON-RPC 2.0 message" };
  }
  const given = params ?? {};
  if (!isObject(given)) {
    return { kind: "invalid", id: isRpcId(id) ? id : null, message: "Invalid request: params must be an object" };
  }
  return isRpcId(id) ? { kind: "request", id, method, params: given } : { kind: "notification", method, params: given };
}

/** Distinguishes `1` from `"1"`. */
export function idKey(id: RpcId): string {
  return typeof id === "string" ? `"${id}` : String(id);
}

export function isRpcId(value: unknown): value is RpcId {
  return value === null || typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function answerText(id: RpcId, result: JsonValue): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

export function errorText(id: RpcId, error: RpcErrorShape): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error });
}

export function requestText(id: RpcId, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

export function notificationText(method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

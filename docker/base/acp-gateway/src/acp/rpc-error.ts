import { type ErrorCode, GatewayError } from "../gateway-error.ts";
import type { JsonObject, JsonValue, Prompt, RpcErrorShape } from "../wire/index.ts";
import { RPC } from "./json-rpc.ts";

const CODES: Partial<Record<ErrorCode, number>> = {
  auth_required: RPC.authRequired,
  invalid_request: RPC.invalidParams,
  invalid_json: RPC.parse,
  forbidden: RPC.invalidRequest,
  not_supported: RPC.methodNotFound,
  path_not_allowed: RPC.invalidParams,
  agent_not_found: RPC.invalidParams,
  session_not_found: RPC.notFound,
  prompt_not_found: RPC.notFound,
  permission_not_found: RPC.notFound,
  elicitation_not_found: RPC.notFound,
  file_not_found: RPC.notFound,
};

/**
 * What a client of the protocol is told: what the agent answered if it was the agent that refused,
 * else a code of the protocol and in `data.code` the gateway's own. Null: a fault of the gateway,
 * to be logged and told as an internal error.
 */
export function rpcErrorOf(error: unknown): RpcErrorShape | null {
  if (!(error instanceof GatewayError)) return null;
  const { errors, rpc, retryAfterSeconds } = error.details;
  return shape(error.code, error.message, rpc, {
    ...(errors ? { errors: errors.map(({ path, code, message }) => ({ path, code, message })) } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Why a turn ended without a stop reason. */
export function rpcErrorOfPrompt({ error, status }: Prompt): RpcErrorShape {
  if (!error) return { code: RPC.internal, message: `the turn is ${status}`, data: { code: status } };
  return shape(error.code, error.message, error.rpc, {});
}

function shape(code: string, message: string, rpc: RpcErrorShape | undefined, extra: JsonObject): RpcErrorShape {
  if (rpc) return { code: rpc.code, message: rpc.message, data: withCode(rpc.data, code) };
  return { code: CODES[code as ErrorCode] ?? RPC.internal, message, data: { code, ...extra } };
}

/** An agent's `data` stays as it is; only where it is an object or absent there is room for our code. */
function withCode(data: JsonValue | undefined, code: string): JsonValue {
  if (data === undefined || data === null) return { code };
  if (typeof data === "object" && !Array.isArray(data)) return { code, ...data };
  return data;
}

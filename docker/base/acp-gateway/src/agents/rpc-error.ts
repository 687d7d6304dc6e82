import { type ErrorCode, GatewayError } from "../gateway-error.ts";
import { type RpcErrorShape, rpcError } from "../wire/index.ts";
import type { Redactor } from "./redactor.ts";

export const RPC = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  cancelled: -32800,
  authRequired: -32000,
  resourceNotFound: -32002,
} as const;

const CODES: Partial<Record<ErrorCode, number>> = {
  not_supported: RPC.methodNotFound,
  method_not_allowed: RPC.methodNotFound,
  invalid_request: RPC.invalidParams,
  path_not_allowed: RPC.invalidParams,
  file_not_found: RPC.resourceNotFound,
  not_found: RPC.resourceNotFound,
};

/** What an agent is told when its request failed. Nothing of an unexpected error is told. */
export function toRpcError(error: unknown, cancelled: boolean): RpcErrorShape {
  if (cancelled) return { code: RPC.cancelled, message: "the request was cancelled" };
  if (!(error instanceof GatewayError)) return { code: RPC.internal, message: "Internal error" };
  return error.details.rpc ?? { code: CODES[error.code] ?? RPC.internal, message: error.message };
}

/** What a caller is told when the agent answered `method` with an error. Secrets in it are blanked. */
export function fromRpcError(agentId: string, method: string, value: unknown, redactor: Redactor): GatewayError {
  const parsed = rpcError.safeParse(value);
  if (!parsed.success) {
    return new GatewayError("agent_protocol", `${agentId} answered ${method} with an error that is no JSON-RPC error`);
  }
  const { code, message, data } = parsed.data;
  const rpc: RpcErrorShape = { code, message: redactor.redact(message) };
  if (data !== undefined) rpc.data = redactor.redactJson(data);
  const ours = code === RPC.authRequired ? "auth_required" : "agent_error";
  return new GatewayError(ours, `${agentId} refused ${method}: ${rpc.message}`, { rpc });
}

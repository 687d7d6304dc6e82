import { GatewayError } from "../gateway-error.ts";
import type { AgentHandle } from "../types.ts";
import type { Prompt, RpcErrorShape } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { objectOf } from "./json.ts";

/** An error as sessions and prompts keep it and events tell it. */
export type Failure = NonNullable<Prompt["error"]>;

/** What of an error may be told. What is no GatewayError is a bug: it stands in the gateway's log only. */
export function failureOf(context: SessionContext, error: unknown): Failure {
  if (!(error instanceof GatewayError)) {
    context.report("unexpected error", { reason: error instanceof Error ? error.stack : String(error) });
    return { code: "internal", message: "the gateway failed; its log says why" };
  }
  const { code, message, details } = error;
  return details.rpc ? { code, message, rpc: details.rpc } : { code, message };
}

export const hasCode = (error: unknown, ...codes: GatewayError["code"][]): boolean =>
  error instanceof GatewayError && codes.includes(error.code);

/** The agent is up, and will not do what it was asked for. */
export const isRefusal = (error: unknown): boolean => hasCode(error, "agent_error", "auth_required", "not_supported");

/** An agent that wants credentials is quoted together with the ways it offers to give them. */
export function withAuthMethods(error: unknown, handle: AgentHandle): unknown {
  if (!(error instanceof GatewayError) || error.code !== "auth_required") return error;
  const rpc: RpcErrorShape = error.details.rpc ?? { code: -32_000, message: error.message };
  const authMethods = handle.initialized["authMethods"] ?? [];
  const data = { ...objectOf(rpc.data), authMethods };
  return new GatewayError("auth_required", error.message, { ...error.details, rpc: { ...rpc, data } });
}

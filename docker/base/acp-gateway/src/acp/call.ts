import { z } from "zod";
import { GatewayError } from "../gateway-error.ts";
import type { AgentManager, EventLog, SessionManager } from "../types.ts";
import type { JsonObject, RpcErrorShape } from "../wire/index.ts";
import type { Connection } from "./connection.ts";
import { isObject } from "./json-rpc.ts";
import type { Emit } from "./lane.ts";

export type MethodDeps = { log: EventLog; sessions: SessionManager; agents: AgentManager; version: string };

/** A request of a client on its way to one answer. */
export type Call = {
  method: string;
  params: JsonObject;
  connection: Connection;
  /** `emit` gives the answer its place among messages that are being given. */
  reply(result: JsonObject, emit?: Emit): void;
  fail(error: unknown, emit?: Emit): void;
  refuse(error: RpcErrorShape, emit?: Emit): void;
  /** What `$/cancel_request` does to it. */
  onCancel(cancel: () => void): void;
};

/** Answers by returning, or itself later when it returns undefined. */
export type Method = (deps: MethodDeps, call: Call) => Promise<JsonObject | undefined>;

/** @throws GatewayError invalid_request, with every problem of the params */
export function parseParams<Schema extends z.ZodType>(schema: Schema, params: unknown): z.output<Schema> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, code, message }) => ({
    path: `/${path.join("/")}`,
    code: code ?? "invalid",
    message,
  }));
  const summary = errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
  throw new GatewayError("invalid_request", `Invalid params: ${summary.slice(0, 1000)}`, { errors });
}

export const sessionIdParams = z.looseObject({ sessionId: z.string().min(1).max(1024) });

/** The extension's own part of a request. */
export function gatewayMeta(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  const gateway = isObject(meta) ? meta["gateway"] : undefined;
  return isObject(gateway) ? gateway : {};
}

/** The agent of a new session: named in the request, or in the address, or the first that is installed. */
export async function chooseAgent({ agents }: MethodDeps, { connection, params }: Pick<Call, "connection" | "params">) {
  const named = gatewayMeta(params)["agent"] ?? connection.agent;
  if (typeof named === "string") return named;
  const installed = (await agents.outline()).find((agent) => agent.installed);
  if (installed) return installed.id;
  throw new GatewayError("agent_not_found", "no agent is installed here; install one, or name one by ?agent=");
}

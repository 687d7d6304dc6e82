import type { AgentOutline } from "../types.ts";
import type { JsonObject, JsonValue, Session } from "../wire/index.ts";
import { isObject } from "./json-rpc.ts";

const PROTOCOL_VERSION = 1;

/** What is said of an agent that has not run here yet. */
const UNKNOWN_AGENT = {
  promptCapabilities: { image: true, audio: false, embeddedContext: true },
  mcpCapabilities: { http: true, sse: true },
};

/**
 * The result of `initialize`: the gateway is the agent, with the abilities of the agent that new
 * sessions of this connection get, as far as it is known.
 */
export function describeGateway(version: string, agent: AgentOutline | undefined, lastSeq: number): JsonObject {
  const known = agent?.initialized ?? null;
  const abilities = isObject(known?.["agentCapabilities"]) ? known["agentCapabilities"] : null;
  return {
    protocolVersion: PROTOCOL_VERSION,
    agentInfo: { name: "agentpod-gateway", title: "AgentPod gateway", version },
    agentCapabilities: {
      loadSession: true,
      promptCapabilities: member(abilities, "promptCapabilities", UNKNOWN_AGENT.promptCapabilities),
      mcpCapabilities: member(abilities, "mcpCapabilities", UNKNOWN_AGENT.mcpCapabilities),
      sessionCapabilities: { list: {}, delete: {}, resume: {}, close: {}, fork: {}, additionalDirectories: {} },
      auth: { logout: {} },
      _meta: { gateway: { attach: { history: ["full", "pending_only", "none", "after"] } } },
    },
    authMethods: authMethods(known),
    _meta: { gateway: { agent: agent?.id ?? null, lastSeq } },
  };
}

/** A terminal method runs the agent's program, which is in the sandbox and not where the client is. */
function authMethods(initialized: JsonObject | null): JsonValue[] {
  const methods = initialized?.["authMethods"];
  return Array.isArray(methods) ? methods.filter((method) => isObject(method) && method["type"] !== "terminal") : [];
}

function member(object: JsonObject | null, name: string, otherwise: JsonObject): JsonValue {
  if (object === null) return otherwise;
  return object[name] ?? {};
}

/** What `session/new`, `load`, `resume` and `fork` answer of a session. */
export function describeSession({ id, modes, configOptions, ...session }: Session): JsonObject {
  return {
    ...(modes ? { modes } : {}),
    ...(configOptions.length > 0 ? { configOptions } : {}),
    _meta: {
      gateway: {
        sessionId: id,
        agent: session.agent,
        status: session.status,
        cwd: session.cwd,
        runningPromptId: session.runningPromptId,
        seq: session.lastSeq,
      },
    },
  };
}

/** An entry of `session/list`. */
export function listed(session: Session): JsonObject {
  return {
    sessionId: session.id,
    cwd: session.cwd,
    additionalDirectories: session.additionalDirectories,
    title: session.title,
    updatedAt: session.updatedAt,
    _meta: { gateway: { agent: session.agent, status: session.status, seq: session.lastSeq } },
  };
}

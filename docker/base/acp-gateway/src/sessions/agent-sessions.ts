import { GatewayError } from "../gateway-error.ts";
import type { AgentHandle } from "../types.ts";
import type { JsonObject } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { objectOf } from "./json.ts";
import type { SessionRecord } from "./live-session.ts";
import { takeSettings } from "./settings.ts";

export type How = "load" | "resume" | "new";

/** The calls that make or open the agent's own session, and what follows from their answers. */
export function createAgentSessions({ agents, timing }: SessionContext) {
  const timeout = { timeoutMs: timing.openMs };

  /** Asks for a session and takes over the id it is given. */
  async function make(handle: AgentHandle, record: SessionRecord, method: "new" | "fork", params: JsonObject = {}) {
    const answer = await handle.request(`session/${method}`, { ...params, ...folderParams(record) }, timeout);
    const { sessionId } = answer;
    if (typeof sessionId !== "string" || sessionId === "") {
      throw new GatewayError("agent_protocol", `${record.agent} answered session/${method} without a sessionId`);
    }
    record.agentSessionId = sessionId;
    takeSettings(record, answer);
  }

  async function reopen(handle: AgentHandle, record: SessionRecord, method: "load" | "resume"): Promise<void> {
    const params = { sessionId: record.agentSessionId, ...folderParams(record) };
    takeSettings(record, await handle.request(`session/${method}`, params, timeout));
  }

  /**
   * The ways to open a session again, best first; of the one asked for, only that.
   * @throws GatewayError not_supported
   */
  function ways(record: SessionRecord, how: "load" | "resume" | undefined): How[] {
    const quirks = agents.entry(record.agent)?.quirks;
    const { loadSession, sessionCapabilities } = record.capabilities;
    const loads = loadSession === true && quirks?.loads !== false;
    const resumes = (objectOf(sessionCapabilities)["resume"] ?? null) !== null && quirks?.resumes !== false;
    if (how === "load" ? !loads : how === "resume" ? !resumes : false) {
      throw new GatewayError("not_supported", `${record.agent} cannot ${how} a session`);
    }
    if (how !== undefined) return [how];
    return [...(loads ? (["load"] as const) : []), ...(resumes ? (["resume"] as const) : []), "new"];
  }

  return { make, reopen, ways };
}

/** What session/new, load, resume and fork are told of the place they work in. */
function folderParams({ cwd, additionalDirectories, mcpServers }: SessionRecord): JsonObject {
  // The protocol's stdio servers have no type.
  const servers = mcpServers.map((server) => {
    if (server.type !== "stdio") return server;
    const { type: _, ...rest } = server;
    return rest;
  });
  return {
    cwd,
    mcpServers: servers as JsonObject[],
    ...(additionalDirectories.length > 0 ? { additionalDirectories } : {}),
  };
}

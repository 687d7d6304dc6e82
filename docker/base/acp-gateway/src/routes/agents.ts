import { z } from "zod";
import { GatewayError } from "../gateway-error.ts";
import { json, route } from "../http/route.ts";
import type { AgentManager } from "../types.ts";
import { agentReport } from "../wire/index.ts";

const one = { description: "The agent", schema: z.object({ agent: agentReport }) };
const emptyBody = z.strictObject({}).optional();

/** The agents the gateway knows, and what can be done before there is a session. */
export function createAgentRoutes(agents: AgentManager) {
  return [
    route({
      method: "GET",
      path: "/v1/agents",
      scope: "read",
      summary: "All agents, and which of them are here",
      responses: { 200: { description: "The agents", schema: z.object({ agents: z.array(agentReport) }) } },
      handler: async () => json({ agents: await agents.list() }),
    }),
    route({
      method: "GET",
      path: "/v1/agents/:id",
      scope: "read",
      summary: "One agent",
      responses: { 200: one },
      errors: ["agent_not_found"],
      handler: async ({ params }) => {
        const agent = await agents.find(params.id);
        if (!agent) throw new GatewayError("agent_not_found", "no such agent; GET /v1/agents lists them");
        return json({ agent });
      },
    }),
    route({
      method: "POST",
      path: "/v1/agents/:id/install",
      scope: "admin",
      summary: "Installs an agent from npm at the version the gateway names; answers when npm has ended",
      body: emptyBody,
      responses: { 200: one },
      errors: ["agent_not_found", "install_not_allowed", "install_failed", "not_supported", "shutting_down"],
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        return json({ agent: await agents.install(params.id) });
      },
    }),
    route({
      method: "POST",
      path: "/v1/agents/:id/probe",
      scope: "admin",
      summary: "Starts the agent once to learn what it can do, and ends it",
      body: emptyBody,
      responses: { 200: one },
      errors: [
        "agent_not_found",
        "agent_not_installed",
        "too_many_processes",
        "agent_error",
        "agent_exited",
        "agent_protocol",
        "agent_unavailable",
        "agent_timeout",
      ],
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        return json({ agent: await agents.probe(params.id) });
      },
    }),
  ];
}

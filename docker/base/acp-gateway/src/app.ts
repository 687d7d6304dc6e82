import { Hono } from "hono";
import type { AgentManager } from "./agent-manager.ts";
import { requireToken } from "./auth-handler.ts";
import { describeGateway } from "./info.ts";
import { logLine } from "./log.ts";
import { onlyMethods, problem } from "./problem.ts";
import type { GatewayConfig } from "./types.ts";

type AppDeps = {
  config: GatewayConfig;
  agents: AgentManager;
  startedAt: Date;
};

/** The gateway's HTTP surface. Only `GET /health` answers without the token. */
export function createApp({ config, agents, startedAt }: AppDeps) {
  const app = new Hono();

  app.onError((error, c) => {
    logLine("request failed", { path: c.req.path, reason: error.message });
    return problem(c, "internal", "the gateway could not answer; its log says why");
  });
  app.notFound((c) => problem(c, "not_found", `nothing is served at ${c.req.path}`));

  app.get("/health", (c) => c.json({ status: "ok", uptimeSeconds: secondsSince(startedAt) }));
  app.all("/health", onlyMethods("GET", "HEAD"));

  app.use(requireToken(config.token));

  app.get("/info", (c) =>
    c.json({
      ...describeGateway(config),
      uptimeSeconds: secondsSince(startedAt),
      startedAt: startedAt.toISOString(),
    }),
  );
  app.all("/info", onlyMethods("GET", "HEAD"));

  app.get("/v1/agents", async (c) => c.json({ agents: await agents.list() }));
  app.all("/v1/agents", onlyMethods("GET", "HEAD"));

  app.get("/v1/agents/:id", async (c) => {
    const agent = await agents.find(c.req.param("id"));
    if (!agent) return problem(c, "agent_not_found", "no such agent; GET /v1/agents lists them");
    return c.json({ agent });
  });
  app.all("/v1/agents/:id", onlyMethods("GET", "HEAD"));

  return app;
}

function secondsSince(moment: Date): number {
  return Math.round((Date.now() - moment.getTime()) / 100) / 10;
}

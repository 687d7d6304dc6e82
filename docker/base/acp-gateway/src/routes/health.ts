import { json, route } from "../http/route.ts";
import { describeGateway } from "../info.ts";
import type { EventLog, GatewayConfig } from "../types.ts";
import { gatewayInfo, health, readiness } from "../wire/index.ts";

type HealthDeps = {
  config: GatewayConfig;
  startedAt: Date;
  log: Pick<EventLog, "isFull" | "isRemoved">;
  isClosing: () => boolean;
};

/** Whether the gateway runs, whether it can be used, and what it is. */
export function createHealthRoutes({ config, startedAt, log, isClosing }: HealthDeps) {
  const uptimeSeconds = () => Math.round((Date.now() - startedAt.getTime()) / 100) / 10;

  const healthAt = (path: string) =>
    route({
      method: "GET",
      path,
      scope: "public",
      summary: "Whether the gateway runs",
      responses: { 200: { description: "It runs", schema: health } },
      handler: () => json({ status: "ok", uptimeSeconds: uptimeSeconds() }),
    });

  const infoAt = (path: string) =>
    route({
      method: "GET",
      path,
      scope: null,
      summary: "What the gateway is and where",
      responses: { 200: { description: "The gateway", schema: gatewayInfo } },
      handler: () =>
        json({ ...describeGateway(config), uptimeSeconds: uptimeSeconds(), startedAt: startedAt.toISOString() }),
    });

  return [
    healthAt("/health"),
    healthAt("/healthz"),
    infoAt("/info"),
    infoAt("/v1/info"),
    route({
      method: "GET",
      path: "/readyz",
      scope: "public",
      summary: "Whether prompts can be taken now",
      responses: {
        200: { description: "They can", schema: readiness },
        503: { description: "They cannot; checks say why", schema: readiness },
      },
      handler: () => {
        const state = log.isFull() ? "full" : "ok";
        const checks = { log: log.isRemoved() ? "removed" : state, shuttingDown: isClosing() };
        const isReady = checks.log === "ok" && !checks.shuttingDown;
        return json({ status: isReady ? "ready" : "not ready", checks }, isReady ? 200 : 503);
      },
    }),
  ];
}

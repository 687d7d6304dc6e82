import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../http/principal.ts";
import { createRouter } from "../http/router.ts";
import type { Metrics } from "../services/metrics/metrics.ts";

const text = { schema: z.string() };

const metricsRoute = createRoute({
  operationId: "getMetrics",
  summary: "What the API counts about itself, for Prometheus",
  description: "In the text format of Prometheus, or as OpenMetrics when `Accept` names it.",
  tags: ["health"],
  security: requireScope("metrics:read"),
  method: "get",
  path: "/",
  responses: {
    200: {
      description: "All metrics",
      content: { "text/plain": text, "application/openmetrics-text": text },
    },
  },
});

export function metricsRoutes({ metrics }: { metrics: Pick<Metrics, "render"> }) {
  const router = createRouter();
  router.openapi(metricsRoute, (c) => {
    const { contentType, text: body } = metrics.render(c.req.header("accept") ?? null);
    return c.body(body, 200, { "content-type": contentType, "cache-control": "no-store", vary: "Accept" });
  });
  return router;
}

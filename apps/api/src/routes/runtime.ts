import { DriftReport } from "@agentpod/types";
import { createRoute } from "@hono/zod-openapi";
import { requireScope } from "../http/principal.ts";
import { json } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { Reconciler } from "../services/reconciler.ts";

const tags = ["runtime"];

const drift = createRoute({
  operationId: "getDrift",
  summary: "How what runs differed from what is asked for, when it was last looked at",
  tags,
  security: requireScope("projects:read"),
  method: "get",
  path: "/drift",
  responses: { 200: json(DriftReport, "Every difference, and what is done about it") },
});

const reconcile = createRoute({
  operationId: "reconcile",
  summary: "Look now, and put right at once what can be",
  description: "The control plane does so by itself every few seconds, for what two looks in a row show.",
  tags,
  security: requireScope("projects:write"),
  method: "post",
  path: "/reconcile",
  responses: { 200: json(DriftReport, "What was found") },
});

export function runtimeRoutes({ reconciler }: { reconciler: Pick<Reconciler, "report" | "reconcile"> }) {
  const router = createRouter();
  router.openapi(drift, async (c) => c.json(await reconciler.report(), 200, { "cache-control": "no-store" }));
  router.openapi(reconcile, async (c) => c.json(await reconciler.reconcile(), 200, { "cache-control": "no-store" }));
  return router;
}

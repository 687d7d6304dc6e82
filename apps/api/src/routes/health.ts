import { Problem } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { openToAll } from "../http/principal.ts";
import { ApiError, PROBLEMS, toProblem } from "../http/problem.ts";
import { json } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { Readiness } from "../services/readiness.ts";

const tags = ["health"];

const Checks = z.object({
  database: z.object({ ok: z.boolean(), code: z.enum(["ok", "database_unavailable", "disk_full"]) }),
  runtime: z.object({
    ok: z.boolean(),
    code: z.enum(["ok", "runtime_unavailable"]),
    name: z.string(),
    version: z.string().nullable(),
  }),
  registry: z
    .object({ ok: z.boolean(), code: z.enum(["ok", "registry_unavailable", "not_used"]) })
    .describe(
      "Asked at most every 15 seconds. It is told, but the API is ready without it: what runs does not need it; " +
        "only an image that was not pulled before cannot be had meanwhile.",
    ),
});

const health = createRoute({
  operationId: "getHealth",
  summary: "Whether the API is alive",
  tags,
  security: openToAll,
  method: "get",
  path: "/health",
  responses: { 200: json(z.object({ status: z.literal("ok"), version: z.string() }), "It is") },
});

const ready = createRoute({
  operationId: "getReadiness",
  summary: "Whether what the API stands on answers as well",
  tags,
  security: openToAll,
  method: "get",
  path: "/ready",
  responses: {
    200: json(z.object({ status: z.literal("ready"), checks: Checks }), "It does"),
    503: {
      description: "not_ready; `checks` says what is missing",
      content: { "application/problem+json": { schema: z.object({ ...Problem.shape, checks: Checks }) } },
    },
  },
});

export interface HealthRouteDeps {
  version: string;
  readiness: () => Promise<Readiness>;
}

export function healthRoutes({ version, readiness }: HealthRouteDeps) {
  const router = createRouter();
  router.openapi(health, (c) => c.json({ status: "ok" as const, version }, 200));
  router.openapi(ready, async (c) => {
    const { ready, checks } = await readiness();
    if (ready) return c.json({ status: "ready" as const, checks }, 200);
    const { registry: _, ...needed } = checks;
    const codes = Object.values(needed).flatMap(({ ok, code }) => (ok ? [] : [code]));
    const problem = toProblem(new ApiError("not_ready", `Not ready: ${codes.join(", ")}`), c.env.requestId);
    return c.json({ ...problem, checks }, PROBLEMS.not_ready.status, {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    });
  });
  return router;
}

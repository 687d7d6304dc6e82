import { ContainerTier, LegacyUsageReport } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { json, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import { SunsetNotice } from "../http/sunset-notice.ts";
import type { ContainerTiers } from "../services/container-tiers.ts";
import type { LegacyUsage } from "../services/legacy-usage.ts";
import { EntryId } from "./catalog-schemas.ts";

const tags = ["catalog"];
const read = requireScope("catalog:read");

const list = createRoute({
  operationId: "listContainerTiers",
  summary: "The tiers from before flavors and addons, each with what replaces it",
  deprecated: true,
  tags,
  security: read,
  method: "get",
  path: "/",
  responses: {
    200: { ...json(z.object({ tiers: z.array(ContainerTier) }), "All container tiers"), headers: SunsetNotice },
    304: { description: "Not changed" },
    ...problems("container_tiers_sunset"),
  },
});

const get = createRoute({
  operationId: "getContainerTier",
  summary: "One of them",
  deprecated: true,
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: EntryId },
  responses: {
    200: { ...json(z.object({ tier: ContainerTier }), "The container tier"), headers: SunsetNotice },
    304: { description: "Not changed" },
    ...problems("container_tier_not_found", "container_tiers_sunset"),
  },
});

const usage = createRoute({
  operationId: "getLegacyUsage",
  summary: "Who still uses container tiers, also after they are gone",
  description:
    "Counts the calls of `/api/container-tiers` and the bodies with `containerTierId`, by caller, client, route and whether they were accepted.",
  tags: ["projects"],
  security: requireScope("projects:read"),
  method: "get",
  path: "/usage",
  responses: { 200: json(LegacyUsageReport, "The counts, the latest use first") },
});

export interface ContainerTierRouteDeps {
  containerTiers: ContainerTiers;
  legacyUsage: Pick<LegacyUsage, "report">;
}

export function containerTierRoutes({ containerTiers, legacyUsage }: ContainerTierRouteDeps) {
  const router = createRouter();
  router.openapi(list, (c) => jsonWithEtag(c, { tiers: containerTiers.list() }));
  // Before the tiers' ids, of which it looks like one.
  router.openapi(usage, (c) => c.json(legacyUsage.report(), 200));
  router.openapi(get, (c) => jsonWithEtag(c, { tier: containerTiers.get(c.req.valid("param").id) }));
  return router;
}

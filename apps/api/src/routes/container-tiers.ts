import { ContainerTier } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { json, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { ContainerTiers } from "../services/container-tiers.ts";
import { EntryId } from "./catalog-schemas.ts";

const tags = ["catalog"];
const read = requireScope("catalog:read");
const NOTICE_DAYS = 30;
const headers = z.object({
  deprecation: z.string().openapi({ description: "Since when it is deprecated (RFC 9745)" }),
  sunset: z.string().openapi({ description: "When it will be gone (RFC 8594)" }),
  link: z.string(),
});

const list = createRoute({
  operationId: "listContainerTiers",
  summary: "The tiers from before flavors and addons, each with what replaces it",
  deprecated: true,
  tags,
  security: read,
  method: "get",
  path: "/",
  responses: {
    200: { ...json(z.object({ tiers: z.array(ContainerTier) }), "All container tiers"), headers },
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
    200: { ...json(z.object({ tier: ContainerTier }), "The container tier"), headers },
    304: { description: "Not changed" },
    ...problems("container_tier_not_found", "container_tiers_sunset"),
  },
});

export function containerTierRoutes({ containerTiers }: { containerTiers: ContainerTiers }) {
  const notice = noticeOf(containerTiers.sunsetAt);
  const router = createRouter();
  router.openapi(list, (c) => jsonWithEtag(c, { tiers: containerTiers.list() }, notice));
  router.openapi(get, (c) => jsonWithEtag(c, { tier: containerTiers.get(c.req.valid("param").id) }, notice));
  return router;
}

/** The headers that tell a program, not only a reader of the docs, that this goes away. */
function noticeOf(sunsetAt: Date): Record<string, string> {
  const deprecatedAt = new Date(sunsetAt);
  deprecatedAt.setUTCDate(deprecatedAt.getUTCDate() - NOTICE_DAYS);
  return {
    deprecation: `@${Math.floor(deprecatedAt.getTime() / 1000)}`,
    sunset: sunsetAt.toUTCString(),
    link: '</docs/errors#container_tiers_sunset>; rel="deprecation", </api/resource-tiers>; rel="successor-version"',
  };
}

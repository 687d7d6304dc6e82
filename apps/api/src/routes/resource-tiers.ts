import { ResourceTierRecord } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { changesOf } from "../http/changes.ts";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { SharedAnswer } from "../http/shared-answer.ts";
import type { CatalogAdmin } from "../services/catalog-admin.ts";
import type { CatalogReader } from "../services/catalog-reader.ts";
import { CreateResourceTier, EntryId, UpdateResourceTier } from "./catalog-schemas.ts";

const tags = ["catalog"];
const read = requireScope("catalog:read");
const write = requireScope("catalog:write");
const One = z.object({ tier: ResourceTierRecord });

const list = createRoute({
  operationId: "listResourceTiers",
  summary: "All resource tiers in their order",
  tags,
  security: read,
  method: "get",
  path: "/",
  responses: {
    200: json(z.object({ tiers: z.array(ResourceTierRecord) }), "All resource tiers"),
    304: { description: "Not changed" },
  },
});

const get = createRoute({
  operationId: "getResourceTier",
  summary: "One resource tier",
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: EntryId },
  responses: {
    200: json(One, "The resource tier"),
    304: { description: "Not changed" },
    ...problems("resource_tier_not_found"),
  },
});

const create = createRoute({
  operationId: "createResourceTier",
  summary: "Make a resource tier",
  tags,
  security: write,
  method: "post",
  path: "/",
  request: { body: jsonBody(CreateResourceTier) },
  responses: {
    201: { ...json(One, "The new resource tier; Location names it"), headers: z.object({ location: z.string() }) },
    ...problems(...bodyProblems, "id_taken"),
  },
});

const update = createRoute({
  operationId: "updateResourceTier",
  summary: "Change a resource tier; fields that are not sent stay",
  tags,
  security: write,
  method: "patch",
  path: "/{id}",
  request: { params: EntryId, body: jsonBody(UpdateResourceTier) },
  responses: {
    200: json(One, "The resource tier as it is now"),
    ...problems(...bodyProblems, "resource_tier_not_found", "in_use"),
  },
});

const remove = createRoute({
  operationId: "deleteResourceTier",
  summary: "Delete a resource tier that nothing uses",
  tags,
  security: write,
  method: "delete",
  path: "/{id}",
  request: { params: EntryId },
  responses: { 204: { description: "Deleted" }, ...problems("resource_tier_not_found", "in_use") },
});

export interface ResourceTierRouteDeps {
  answerList: SharedAnswer<{ tiers: ResourceTierRecord[] }>;
  reader: CatalogReader;
  admin: CatalogAdmin["tiers"];
}

export function resourceTierRoutes({ answerList, reader, admin }: ResourceTierRouteDeps) {
  const router = createRouter();
  router.openapi(list, (c) => answerList(c.req.raw.headers, c.env.requestId));
  router.openapi(get, (c) => jsonWithEtag(c, { tier: reader.tier(c.req.valid("param").id) }));
  router.openapi(create, (c) => {
    const tier = admin.create(c.req.valid("json"));
    return c.json({ tier }, 201, { location: `/api/resource-tiers/${tier.id}` });
  });
  router.openapi(update, (c) => {
    const { id } = c.req.valid("param");
    return c.json({ tier: admin.update(id, changesOf(id, c.req.valid("json"))) }, 200);
  });
  router.openapi(remove, (c) => {
    admin.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });
  return router;
}

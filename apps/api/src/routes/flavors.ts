import { ContainerFlavorRecord } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { changesOf } from "../http/changes.ts";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { SharedAnswer } from "../http/shared-answer.ts";
import type { CatalogAdmin } from "../services/catalog-admin.ts";
import type { CatalogReader } from "../services/catalog-reader.ts";
import { CreateFlavor, EntryId, UpdateFlavor } from "./catalog-schemas.ts";

const tags = ["catalog"];
const read = requireScope("catalog:read");
const write = requireScope("catalog:write");
const One = z.object({ flavor: ContainerFlavorRecord });

const list = createRoute({
  operationId: "listFlavors",
  summary: "All flavors in their order",
  tags,
  security: read,
  method: "get",
  path: "/",
  responses: {
    200: json(z.object({ flavors: z.array(ContainerFlavorRecord) }), "All flavors"),
    304: { description: "Not changed" },
  },
});

const get = createRoute({
  operationId: "getFlavor",
  summary: "One flavor",
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: EntryId },
  responses: { 200: json(One, "The flavor"), 304: { description: "Not changed" }, ...problems("flavor_not_found") },
});

const create = createRoute({
  operationId: "createFlavor",
  summary: "Make a flavor",
  tags,
  security: write,
  method: "post",
  path: "/",
  request: { body: jsonBody(CreateFlavor) },
  responses: {
    201: { ...json(One, "The new flavor; Location names it"), headers: z.object({ location: z.string() }) },
    ...problems(...bodyProblems, "id_taken"),
  },
});

const update = createRoute({
  operationId: "updateFlavor",
  summary: "Change a flavor; fields that are not sent stay",
  tags,
  security: write,
  method: "patch",
  path: "/{id}",
  request: { params: EntryId, body: jsonBody(UpdateFlavor) },
  responses: { 200: json(One, "The flavor as it is now"), ...problems(...bodyProblems, "flavor_not_found", "in_use") },
});

const remove = createRoute({
  operationId: "deleteFlavor",
  summary: "Delete a flavor that nothing uses",
  tags,
  security: write,
  method: "delete",
  path: "/{id}",
  request: { params: EntryId },
  responses: { 204: { description: "Deleted" }, ...problems("flavor_not_found", "in_use") },
});

export interface FlavorRouteDeps {
  answerList: SharedAnswer<{ flavors: ContainerFlavorRecord[] }>;
  reader: CatalogReader;
  admin: CatalogAdmin["flavors"];
}

export function flavorRoutes({ answerList, reader, admin }: FlavorRouteDeps) {
  const router = createRouter();
  router.openapi(list, (c) => answerList(c.req.raw.headers, c.env.requestId));
  router.openapi(get, (c) => jsonWithEtag(c, { flavor: reader.flavor(c.req.valid("param").id) }));
  router.openapi(create, (c) => {
    const flavor = admin.create(c.req.valid("json"));
    return c.json({ flavor }, 201, { location: `/api/flavors/${flavor.id}` });
  });
  router.openapi(update, (c) => {
    const { id } = c.req.valid("param");
    return c.json({ flavor: admin.update(id, changesOf(id, c.req.valid("json"))) }, 200);
  });
  router.openapi(remove, (c) => {
    admin.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });
  return router;
}

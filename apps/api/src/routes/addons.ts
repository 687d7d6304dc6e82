import { AddonCategory, ContainerAddonRecord } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { changesOf } from "../http/changes.ts";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { SharedAnswer } from "../http/shared-answer.ts";
import type { CatalogAdmin } from "../services/catalog-admin.ts";
import type { CatalogReader } from "../services/catalog-reader.ts";
import { CreateAddon, EntryId, UpdateAddon } from "./catalog-schemas.ts";

const tags = ["catalog"];
const read = requireScope("catalog:read");
const write = requireScope("catalog:write");
const One = z.object({ addon: ContainerAddonRecord });

const list = createRoute({
  operationId: "listAddons",
  summary: "All addons in their order",
  tags,
  security: read,
  method: "get",
  path: "/",
  request: { query: z.strictObject({ category: AddonCategory.optional() }) },
  responses: {
    200: json(z.object({ addons: z.array(ContainerAddonRecord) }), "All addons"),
    304: { description: "Not changed" },
    ...problems("invalid_request"),
  },
});

const get = createRoute({
  operationId: "getAddon",
  summary: "One addon",
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: EntryId },
  responses: { 200: json(One, "The addon"), 304: { description: "Not changed" }, ...problems("addon_not_found") },
});

const create = createRoute({
  operationId: "createAddon",
  summary: "Make an addon",
  tags,
  security: write,
  method: "post",
  path: "/",
  request: { body: jsonBody(CreateAddon) },
  responses: {
    201: { ...json(One, "The new addon; Location names it"), headers: z.object({ location: z.string() }) },
    ...problems(...bodyProblems, "id_taken"),
  },
});

const update = createRoute({
  operationId: "updateAddon",
  summary: "Change an addon; fields that are not sent stay",
  tags,
  security: write,
  method: "patch",
  path: "/{id}",
  request: { params: EntryId, body: jsonBody(UpdateAddon) },
  responses: { 200: json(One, "The addon as it is now"), ...problems(...bodyProblems, "addon_not_found", "in_use") },
});

const remove = createRoute({
  operationId: "deleteAddon",
  summary: "Delete an addon that nothing uses",
  tags,
  security: write,
  method: "delete",
  path: "/{id}",
  request: { params: EntryId },
  responses: { 204: { description: "Deleted" }, ...problems("addon_not_found", "in_use") },
});

export interface AddonRouteDeps {
  answerList: SharedAnswer<{ addons: ContainerAddonRecord[] }>;
  reader: CatalogReader;
  admin: CatalogAdmin["addons"];
}

export function addonRoutes({ answerList, reader, admin }: AddonRouteDeps) {
  const router = createRouter();
  router.openapi(list, (c) => {
    const { category } = c.req.valid("query");
    if (category === undefined) return answerList(c.req.raw.headers, c.env.requestId);
    return jsonWithEtag(c, { addons: reader.addonsOf(category) });
  });
  router.openapi(get, (c) => jsonWithEtag(c, { addon: reader.addon(c.req.valid("param").id) }));
  router.openapi(create, (c) => {
    const addon = admin.create(c.req.valid("json"));
    return c.json({ addon }, 201, { location: `/api/addons/${addon.id}` });
  });
  router.openapi(update, (c) => {
    const { id } = c.req.valid("param");
    return c.json({ addon: admin.update(id, changesOf(id, c.req.valid("json"))) }, 200);
  });
  router.openapi(remove, (c) => {
    admin.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });
  return router;
}

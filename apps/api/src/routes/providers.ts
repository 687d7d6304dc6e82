import { Provider, ProviderCredentialSet, SetProviderCredential } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import { jsonWithEtag } from "../http/etag.ts";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { Providers } from "../services/providers.ts";

const tags = ["providers"];
const read = requireScope("providers:read");
const write = requireScope("providers:write");
const ProviderId = z.object({ id: z.string().openapi({ description: "Id of the provider", example: "anthropic" }) });
const when = "Sandboxes that run keep what they have: a deploy, start or restart makes them anew with what is stored.";

const list = createRoute({
  operationId: "listProviders",
  summary: "All language model providers in their order, with what credentials they have, never the values",
  tags,
  security: read,
  method: "get",
  path: "/",
  responses: {
    200: json(z.object({ providers: z.array(Provider) }), "All providers"),
    304: { description: "Not changed" },
  },
});

const get = createRoute({
  operationId: "getProvider",
  summary: "One language model provider",
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: ProviderId },
  responses: {
    200: json(z.object({ provider: Provider }), "The provider"),
    304: { description: "Not changed" },
    ...problems("provider_not_found"),
  },
});

const setCredential = createRoute({
  operationId: "setProviderCredential",
  summary: "Store a credential, or replace the one with its label",
  description: `Every sandbox gets the credential of every enabled provider, as the variables in \`environment\`. ${when}`,
  tags,
  security: write,
  method: "put",
  path: "/{id}/credentials",
  request: { params: ProviderId, body: jsonBody(SetProviderCredential) },
  responses: {
    200: json(ProviderCredentialSet, "Replaced"),
    201: json(ProviderCredentialSet, "Stored under a new label"),
    ...problems(...bodyProblems, "provider_not_found", "storage_unavailable"),
  },
});

const removeCredentials = createRoute({
  operationId: "deleteProviderCredentials",
  summary: "Delete the credential with a label, or all of the provider",
  description: when,
  tags,
  security: write,
  method: "delete",
  path: "/{id}/credentials",
  request: {
    params: ProviderId,
    query: z.strictObject({
      label: z.string().min(1).max(255).optional().openapi({ description: "Without it all are deleted" }),
    }),
  },
  responses: {
    204: { description: "Deleted" },
    ...problems("invalid_request", "provider_not_found", "credentials_not_found", "storage_unavailable"),
  },
});

export function providerRoutes({ providers }: { providers: Providers }) {
  const router = createRouter();
  router.openapi(list, (c) => jsonWithEtag(c, { providers: providers.list() }));
  router.openapi(get, (c) => jsonWithEtag(c, { provider: providers.get(c.req.valid("param").id) }));
  router.openapi(setCredential, (c) => {
    const { provider, isNew } = providers.setCredential(c.req.valid("param").id, c.req.valid("json"));
    const appliesFrom = "next_start" as const;
    return c.json({ provider, appliesFrom }, isNew ? 201 : 200, { "cache-control": "no-store" });
  });
  router.openapi(removeCredentials, (c) => {
    providers.removeCredentials(c.req.valid("param").id, c.req.valid("query").label);
    return c.body(null, 204);
  });
  return router;
}

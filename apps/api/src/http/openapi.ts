import { SECURITY_SCHEME } from "./principal.ts";
import type { ApiRouter } from "./router.ts";

export type OpenApiDocument = ReturnType<ApiRouter["getOpenAPI31Document"]>;

/** What any route can answer besides what it declares itself. */
const SHARED_RESPONSES = {
  "401": { name: "Unauthorized", description: "unauthorized", guardedOnly: true },
  "403": { name: "Forbidden", description: "forbidden, host_not_allowed, origin_not_allowed", guardedOnly: false },
  "500": { name: "Internal", description: "internal", guardedOnly: false },
} as const;

/** The OpenAPI 3.1 description of all routes of `app`. */
export function describeApi(app: ApiRouter, version: string): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "AgentPod API",
      version,
      description: "Sandboxes for coding agents, made from a resource tier, a flavor and addons.",
    },
    servers: [{ url: "/" }],
    tags: [
      { name: "projects", description: "Sandboxes and what is done with them" },
      { name: "events", description: "What happens to projects, as it happens" },
      { name: "runtime", description: "Where projects run, and whether they run as asked for" },
      { name: "catalog", description: "What projects can be made from" },
      { name: "images", description: "Which image a configuration stands for" },
      { name: "providers", description: "Language model providers, and the credentials that sandboxes get for them" },
      { name: "health", description: "Whether the API lives and can work" },
    ],
  });
  const securitySchemes = {
    [SECURITY_SCHEME]: {
      type: "http" as const,
      scheme: "bearer",
      description: "The API token. Without one configured the API serves this machine alone and asks for none.",
    },
  };
  const responses = Object.fromEntries(
    Object.values(SHARED_RESPONSES).map(({ name, description }) => [name, problemResponse(description)]),
  );
  for (const methods of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(methods)) addSharedResponses(operation as Operation);
  }
  return { ...document, components: { ...document.components, responses, securitySchemes } };
}

interface Operation {
  security?: unknown[];
  responses: Record<string, unknown>;
}

function addSharedResponses({ security = [], responses }: Operation): void {
  for (const [status, { name, guardedOnly }] of Object.entries(SHARED_RESPONSES)) {
    if (guardedOnly && security.length === 0) continue;
    responses[status] ??= { $ref: `#/components/responses/${name}` };
  }
}

function problemResponse(description: string) {
  const schema = { $ref: "#/components/schemas/Problem" };
  return { description, content: { "application/problem+json": { schema } } };
}

import { SECURITY_SCHEME } from "./principal.ts";
import type { ApiRouter } from "./router.ts";
import { standardSchemas } from "./standard-schemas.ts";

export type OpenApiDocument = ReturnType<ApiRouter["getOpenAPI31Document"]>;

/** What any route can answer besides what it declares itself. */
const SHARED_RESPONSES: Readonly<Record<string, SharedResponse>> = {
  "400": { name: "BadRequest", description: "invalid_request", of: (_, { parameters = [] }) => parameters.length > 0 },
  "401": { name: "Unauthorized", description: "unauthorized", of: (_, { security = [] }) => security.length > 0 },
  "403": { name: "Forbidden", description: "forbidden, host_not_allowed, origin_not_allowed", of: () => true },
  "413": { name: "TooLarge", description: "body_too_large", of: (method) => method !== "get" },
  "500": { name: "Internal", description: "internal", of: () => true },
};

interface SharedResponse {
  name: string;
  description: string;
  /** Whether an operation can answer it. */
  of: (method: string, operation: Operation) => boolean;
}

interface Operation {
  parameters?: unknown[];
  security?: unknown[];
  responses: Record<string, unknown>;
}

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
      { name: "agents", description: "The gateways in sandboxes, which drive their coding agents" },
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
    for (const [method, operation] of Object.entries(methods)) addSharedResponses(method, operation as Operation);
  }
  return standardSchemas({ ...document, components: { ...document.components, responses, securitySchemes } });
}

function addSharedResponses(method: string, operation: Operation): void {
  for (const [status, { name, of }] of Object.entries(SHARED_RESPONSES)) {
    if (of(method, operation)) operation.responses[status] ??= { $ref: `#/components/responses/${name}` };
  }
}

function problemResponse(description: string) {
  const schema = { $ref: "#/components/schemas/Problem" };
  return { description, content: { "application/problem+json": { schema } } };
}

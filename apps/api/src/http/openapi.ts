import type { ApiRouter } from "./router.ts";
import { SECURITY_SCHEME } from "./principal.ts";

export type OpenApiDocument = ReturnType<ApiRouter["getOpenAPI31Document"]>;

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
      { name: "catalog", description: "What projects can be made from" },
      { name: "images", description: "Which image a configuration stands for" },
      { name: "health" },
    ],
  });
  const securitySchemes = {
    [SECURITY_SCHEME]: {
      type: "http" as const,
      scheme: "bearer",
      description: "The API token. Without one configured the API serves this machine alone and asks for none.",
    },
  };
  return { ...document, components: { ...document.components, securitySchemes } };
}

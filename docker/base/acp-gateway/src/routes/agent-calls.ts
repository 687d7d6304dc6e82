import { z } from "zod";
import { GatewayError } from "../gateway-error.ts";
import { json, route } from "../http/route.ts";
import { requireModeScope, requireOptionScope } from "../session-scopes.ts";
import type { SessionManager } from "../types.ts";
import { type JsonObject, jsonObject, session } from "../wire/index.ts";
import { AGENT_ERRORS } from "./sessions.ts";

const result = { description: "What the agent answered", schema: jsonObject };
/** Methods by which the gateway itself leads a session; they have routes of their own. */
const OWN_METHODS =
  /^(?:initialize$|session\/(?:new|load|resume|list|close|delete|fork|prompt|cancel|update|set_mode|set_config_option)$|\$\/)/;
const providerId = z.string().min(1).max(256);

/** What is asked of a session's agent beside prompts. */
export function createAgentCallRoutes(sessions: SessionManager) {
  /** A method of the protocol with its params as the body. */
  const call = (path: string, summary: string, body: z.ZodType<Record<string, unknown> | undefined>, method: string) =>
    route({
      method: "POST",
      path: `/v1/sessions/:id/${path}`,
      scope: "admin",
      summary,
      body,
      responses: { 200: result },
      errors: AGENT_ERRORS,
      handler: async ({ params, body, keepOpen }) => {
        keepOpen();
        return json(await sessions.call(params.id, method, (body ?? {}) as JsonObject));
      },
    });

  return [
    route({
      method: "POST",
      path: "/v1/sessions/:id/mode",
      scope: "prompt",
      summary: "Sets the session's mode",
      body: z.strictObject({ modeId: z.string().min(1).max(256) }),
      responses: { 200: { description: "The session", schema: session } },
      errors: AGENT_ERRORS,
      handler: async ({ params, body, caller, keepOpen }) => {
        requireModeScope(caller);
        keepOpen();
        return json(await sessions.setMode(params.id, body.modeId));
      },
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/config",
      scope: "prompt",
      summary: "Sets one of the agent's config options, the model among them",
      body: z.strictObject({
        configId: z.string().min(1).max(256),
        value: z.union([z.string().max(4096), z.boolean()]),
      }),
      responses: { 200: { description: "The session", schema: session } },
      errors: AGENT_ERRORS,
      handler: async ({ params, body, caller, keepOpen }) => {
        requireOptionScope(sessions.get(params.id), body.configId, caller);
        keepOpen();
        return json(await sessions.setConfig(params.id, body.configId, body.value));
      },
    }),
    call(
      "authenticate",
      "Logs the session's agent in by one of its methods",
      z.strictObject({ methodId: z.string().min(1).max(256), _meta: jsonObject.optional() }),
      "authenticate",
    ),
    call(
      "logout",
      "Logs the session's agent out",
      z.strictObject({ _meta: jsonObject.optional() }).optional(),
      "logout",
    ),
    route({
      method: "GET",
      path: "/v1/sessions/:id/providers",
      scope: "prompt",
      summary: "Providers of models the agent can be set to",
      responses: { 200: result },
      errors: AGENT_ERRORS,
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        return json(await sessions.call(params.id, "providers/list", {}));
      },
    }),
    call("providers", "Sets a provider", z.looseObject({ providerId }), "providers/set"),
    route({
      method: "DELETE",
      path: "/v1/sessions/:id/providers/:providerId",
      scope: "admin",
      summary: "Disables a provider",
      responses: { 200: result },
      errors: AGENT_ERRORS,
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        return json(await sessions.call(params.id, "providers/disable", { providerId: params.providerId }));
      },
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/call",
      scope: "admin",
      summary: "Calls any other method of the agent, such as an extension of it",
      body: z.strictObject({ method: z.string().min(1).max(256), params: jsonObject.optional() }),
      responses: { 200: result },
      errors: AGENT_ERRORS,
      handler: async ({ params, body, keepOpen }) => {
        if (OWN_METHODS.test(body.method)) {
          throw new GatewayError("not_supported", `${body.method} has a route of its own; use that`);
        }
        keepOpen();
        return json(await sessions.call(params.id, body.method, body.params ?? {}));
      },
    }),
  ];
}

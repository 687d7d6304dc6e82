import { z } from "zod";
import type { ErrorCode } from "../gateway-error.ts";
import { cursor, wholeNumber } from "../http/parameters.ts";
import { json, noContent, route } from "../http/route.ts";
import { requireSessionScopes } from "../session-scopes.ts";
import type { SessionManager } from "../types.ts";
import { newSession, session, sessionPage, sessionPatch, sessionStatus } from "../wire/index.ts";

const PAGE_DEFAULT = 50;
const one = { description: "The session", schema: session };
const emptyBody = z.strictObject({}).optional();

/** What can go wrong wherever an agent is started or asked. */
export const AGENT_ERRORS = [
  "session_not_found",
  "session_closed",
  "not_supported",
  "agent_not_found",
  "agent_not_installed",
  "too_many_processes",
  "agent_error",
  "agent_exited",
  "agent_protocol",
  "auth_required",
  "agent_unavailable",
  "agent_timeout",
  "storage_full",
] as const satisfies readonly ErrorCode[];

/** Sessions: made, listed, changed, ended. */
export function createSessionRoutes(sessions: SessionManager) {
  return [
    route({
      method: "POST",
      path: "/v1/sessions",
      scope: "prompt",
      summary: "Starts an agent and opens a session; answers when it can be prompted",
      body: newSession,
      responses: { 201: one },
      errors: [...AGENT_ERRORS, "path_not_allowed", "too_many_sessions"],
      handler: async ({ body, caller, keepOpen }) => {
        requireSessionScopes(body, caller);
        keepOpen();
        const made = await sessions.create(body, caller);
        return json(made, 201, { location: `/v1/sessions/${made.id}` });
      },
    }),
    route({
      method: "GET",
      path: "/v1/sessions",
      scope: "read",
      summary: "Sessions, the newest first",
      query: z.strictObject({
        agent: z.string().max(64).optional(),
        status: sessionStatus.optional(),
        cursor: cursor.optional(),
        limit: wholeNumber(1, 200).optional(),
      }),
      responses: { 200: { description: "A page of sessions", schema: sessionPage } },
      handler: ({ query }) => json(sessions.list({ limit: PAGE_DEFAULT, ...withoutUndefined(query) })),
    }),
    route({
      method: "GET",
      path: "/v1/sessions/:id",
      scope: "read",
      summary: "One session",
      responses: { 200: one },
      errors: ["session_not_found"],
      handler: ({ params }) => json(sessions.get(params.id)),
    }),
    route({
      method: "PATCH",
      path: "/v1/sessions/:id",
      scope: "prompt",
      summary: "Changes title, permission policy or queue policy",
      body: sessionPatch,
      responses: { 200: one },
      errors: ["session_not_found", "storage_full"],
      handler: async ({ params, body, caller }) => {
        requireSessionScopes(body, caller);
        return json(await sessions.patch(params.id, body, caller));
      },
    }),
    route({
      method: "DELETE",
      path: "/v1/sessions/:id",
      scope: "admin",
      summary: "Ends the session and removes all that was said in it",
      responses: { 204: { description: "It is gone" } },
      errors: ["session_not_found", "storage_full"],
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        await sessions.remove(params.id);
        return noContent();
      },
    }),
    ...(["load", "resume"] as const).map((how) =>
      route({
        method: "POST",
        path: `/v1/sessions/:id/${how}`,
        scope: "prompt",
        summary: `Starts the session's agent now, by session/${how}; opens a closed session again`,
        body: emptyBody,
        responses: { 200: one },
        errors: AGENT_ERRORS,
        handler: async ({ params, keepOpen }) => {
          keepOpen();
          return json(await sessions.open(params.id, how));
        },
      }),
    ),
    route({
      method: "POST",
      path: "/v1/sessions/:id/fork",
      scope: "prompt",
      summary: "A new session that goes on from this one, where the agent can",
      body: emptyBody,
      responses: { 201: one },
      errors: [...AGENT_ERRORS, "too_many_sessions"],
      handler: async ({ params, caller, keepOpen }) => {
        keepOpen();
        const made = await sessions.fork(params.id, caller);
        return json(made, 201, { location: `/v1/sessions/${made.id}` });
      },
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/close",
      scope: "prompt",
      summary: "Ends the session's agent and queue; what was said stays",
      body: emptyBody,
      responses: { 200: one },
      errors: ["session_not_found", "storage_full"],
      handler: async ({ params, keepOpen }) => {
        keepOpen();
        return json(await sessions.close(params.id));
      },
    }),
  ];
}

/** Optional parameters as the manager takes them: absent, not undefined. */
function withoutUndefined<Shape extends object>(value: Shape) {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [Key in keyof Shape]: Exclude<Shape[Key], undefined>;
  };
}

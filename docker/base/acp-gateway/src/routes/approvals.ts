import { z } from "zod";
import { json, route } from "../http/route.ts";
import type { SessionManager } from "../types.ts";
import { elicitation, elicitationAnswer, pendingState, permission, permissionAnswer } from "../wire/index.ts";

const query = z.strictObject({ status: z.enum([...pendingState.options, "all"]).optional() });

/** Absent: what still waits for an answer. */
const wanted = (status: z.output<typeof query>["status"]) => (status === "all" ? undefined : (status ?? "pending"));

/** What an agent asks of a person, and the answers. The first answer wins. */
export function createApprovalRoutes(sessions: SessionManager) {
  return [
    route({
      method: "GET",
      path: "/v1/sessions/:id/permissions",
      scope: "read",
      summary: "Requests for permission; without status those that wait",
      query,
      responses: { 200: { description: "The requests", schema: z.object({ permissions: z.array(permission) }) } },
      errors: ["session_not_found"],
      handler: ({ params, query }) => json({ permissions: sessions.permissions(params.id, wanted(query.status)) }),
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/permissions/:permissionId",
      scope: "approve",
      summary: "Answers a request for permission",
      body: permissionAnswer,
      responses: { 200: { description: "The request as it now is", schema: permission } },
      errors: ["session_not_found", "permission_not_found", "already_resolved", "storage_full"],
      handler: async ({ params, body, caller }) =>
        json(await sessions.answerPermission(params.id, params.permissionId, body, caller)),
    }),
    route({
      method: "GET",
      path: "/v1/sessions/:id/elicitations",
      scope: "read",
      summary: "Questions of the agent; without status those that wait",
      query,
      responses: { 200: { description: "The questions", schema: z.object({ elicitations: z.array(elicitation) }) } },
      errors: ["session_not_found"],
      handler: ({ params, query }) => json({ elicitations: sessions.elicitations(params.id, wanted(query.status)) }),
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/elicitations/:elicitationId",
      scope: "approve",
      summary: "Answers a question of the agent",
      body: elicitationAnswer,
      responses: { 200: { description: "The question as it now is", schema: elicitation } },
      errors: ["session_not_found", "elicitation_not_found", "already_resolved", "storage_full"],
      handler: async ({ params, body, caller }) =>
        json(await sessions.answerElicitation(params.id, params.elicitationId, body, caller)),
    }),
  ];
}

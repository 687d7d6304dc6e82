import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { checkScope, requireScope } from "../http/principal.ts";
import { problems } from "../http/responses.ts";
import { type ApiEnv, createRouter, labelled } from "../http/router.ts";
import { withoutTicket } from "../http/tickets.ts";
import { isUpgrade } from "../http/upgrade.ts";
import { agentPath } from "../proxy/agent-path.ts";
import type { AgentProxy } from "../proxy/agent-proxy.ts";

const scope = "agents:use";
const Params = z.object({
  id: z.string().min(1).max(128).openapi({ description: "Id of the project" }),
  path: z.string().min(1).openapi({ description: "Path at the gateway, slashes included, such as `v1/sessions`" }),
});
const METHODS = { get: "Ask", post: "Post to", put: "Put to", patch: "Change at", delete: "Delete at" } as const;
const description = [
  "`v1/…`, `acp`, `openapi.json`, `health`, `readyz` and `metrics` of the gateway in the project's sandbox, with the gateway's own token.",
  "Query, bodies, streams of events and WebSockets pass as they are, and so do the gateway's answers; `openapi.json` there describes them.",
  "`v1/login` and `v1/tickets` are not reached: what they hand out stands for the gateway's token.",
  "A WebSocket in a browser offers the subprotocols `bearer.<API token>` and `agentpod`, besides those of the gateway; the token is never echoed.",
  "What can send neither, such as an `EventSource`, takes a ticket of `POST /api/tickets`.",
].join(" ");

export interface ProjectAgentDeps {
  proxy: Pick<AgentProxy, "answer" | "connect">;
}

export function projectAgentRoutes({ proxy }: ProjectAgentDeps) {
  const router = createRouter();
  for (const [method, does] of Object.entries(METHODS)) {
    router.openAPIRegistry.registerPath({
      operationId: `${method}ProjectAgent`,
      summary: `${does} the gateway of a project's sandbox`,
      description,
      tags: ["agents"],
      security: requireScope(scope),
      method: method as keyof typeof METHODS,
      path: "/{id}/agent/{path}",
      request: { params: Params },
      responses: {
        default: { description: "What the gateway answers" },
        ...problems(
          "invalid_request",
          "not_found",
          "project_not_found",
          "not_running",
          "runtime_mismatch",
          "gateway_unreachable",
        ),
      },
    });
  }

  const handler = async (c: Context<ApiEnv>): Promise<Response> => {
    const { principal, requestId, server } = c.env;
    checkScope(principal, scope);
    const request = c.req.raw;
    const { projectId, rest } = placeOf(request.url);
    const path = agentPath(request.method === "GET" ? withoutTicket(rest) : rest);
    const asked = { request, requestId, projectId, path, place: `/api/projects/${projectId}/agent`, server };
    return request.method === "GET" && isUpgrade(request.headers)
      ? await proxy.connect(asked)
      : await proxy.answer(asked);
  };
  router.on("GET", "/:id/agent/:path{.+}", labelled(handler));
  router.on(["POST", "PUT", "PATCH", "DELETE"], "/:id/agent/:path{.+}", labelled(handler, { writes: true }));
  return router;
}

/** Cut out of the URL as it was sent, because a router reads some escapes. */
function placeOf(url: string): { projectId: string; rest: string } {
  const [, , , projectId = "", , ...rest] = url.slice(url.indexOf("/", 8)).split("/");
  return { projectId, rest: `/${rest.join("/")}` };
}

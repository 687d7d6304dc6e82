import { Ticket, TicketRequest } from "@agentpod/types";
import { createRoute } from "@hono/zod-openapi";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { createRouter } from "../http/router.ts";
import type { Tickets } from "../http/tickets.ts";

const issue = createRoute({
  operationId: "createTicket",
  summary: "A ticket for one GET or WebSocket of one path, given as ?ticket= within a minute",
  description: [
    "For a browser where it sends no headers: an `EventSource`, and a file that is shown or downloaded by its URL.",
    "It is used up by the first request, so an `EventSource` that was cut off needs another, and `?after=` with the last id it saw.",
    "What can send the token does without: `fetch` reads streams of events as well, and a WebSocket has the subprotocol `bearer.<API token>`.",
  ].join(" "),
  tags: ["agents"],
  security: requireScope("projects:read"),
  method: "post",
  path: "/",
  request: { body: jsonBody(TicketRequest) },
  responses: { 201: json(Ticket, "The ticket"), ...problems(...bodyProblems) },
});

export function ticketRoutes({ tickets }: { tickets: Pick<Tickets, "issue"> }) {
  const router = createRouter();
  router.openapi(issue, (c) =>
    c.json(tickets.issue(c.env.principal, c.req.valid("json").path), 201, { "cache-control": "no-store" }),
  );
  return router;
}

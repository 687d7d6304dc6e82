import { z } from "zod";
import type { AuthHandler } from "../auth-handler.ts";
import { json, noContent, route } from "../http/route.ts";
import { SCOPES } from "../types.ts";
import { ticket } from "../wire/index.ts";

/** For browsers, whose EventSource and WebSocket cannot send a token. */
export function createAccessRoutes(auth: AuthHandler) {
  return [
    route({
      method: "POST",
      path: "/v1/tickets",
      scope: null,
      summary: "A ticket for one GET or WebSocket, given as ?ticket= within a minute",
      body: z.strictObject({ scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).optional() }).optional(),
      responses: { 201: { description: "The ticket", schema: ticket } },
      errors: ["forbidden"],
      handler: ({ caller, body }) => json(auth.issueTicket(caller, body?.scopes), 201),
    }),
    route({
      method: "POST",
      path: "/v1/login",
      scope: null,
      summary: "A cookie in the place of the token that this request carries",
      responses: { 204: { description: "The cookie is set, for twelve hours" } },
      handler: ({ caller, request }) => noContent({ "set-cookie": auth.cookieFor(caller, isSecure(request)) }),
    }),
    route({
      method: "DELETE",
      path: "/v1/login",
      scope: null,
      summary: "Takes the cookie back",
      responses: { 204: { description: "The cookie is removed from this browser" } },
      handler: ({ request }) => noContent({ "set-cookie": auth.clearedCookie(isSecure(request)) }),
    }),
  ];
}

/** TLS ends before the gateway; the proxy or the page's origin tells of it. */
function isSecure({ headers }: Request): boolean {
  return headers.get("x-forwarded-proto") === "https" || headers.get("origin")?.startsWith("https:") === true;
}

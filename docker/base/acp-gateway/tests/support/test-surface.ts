import { z } from "zod";
import { GatewayError } from "../../src/gateway-error.ts";
import { limitedBody } from "../../src/http/body.ts";
import { wholeNumber } from "../../src/http/parameters.ts";
import { json, noContent, route } from "../../src/http/route.ts";

const RAW_BYTES = 2 * 1024 * 1024;

/** Routes that show what of a request reaches a handler, and what of an answer reaches a client. */
export function createSurface() {
  const held: (() => void)[] = [];
  let closed = 0;
  const shared = { summary: "For tests", responses: { 200: { description: "As asked" } } };
  return {
    held,
    closed: () => closed,
    routes: [
      route({
        ...shared,
        method: "POST",
        path: "/things/:id",
        scope: "prompt",
        query: z.strictObject({ limit: wholeNumber(1, 5).optional() }),
        headers: z.object({ "x-count": wholeNumber(0, 9).optional() }),
        body: z.strictObject({
          name: z.string().min(1),
          tags: z.array(z.string().max(3)).optional(),
          kind: z.union([z.object({ a: z.string() }), z.object({ b: z.int() })]).optional(),
        }),
        handler: ({ params, query, headers, body }) => json({ params, query, headers, body }),
      }),
      route({ ...shared, method: "GET", path: "/rest/*", scope: "read", handler: ({ rest }) => json({ rest }) }),
      route({ ...shared, method: "GET", path: "/open", scope: "public", handler: () => json({ ok: true }) }),
      route({
        ...shared,
        method: "GET",
        path: "/hold",
        scope: "read",
        handler: ({ request }) =>
          new Promise<Response>((resolve) => {
            request.signal.addEventListener("abort", () => (closed += 1));
            held.push(() => resolve(noContent()));
          }),
      }),
      route({
        ...shared,
        method: "GET",
        path: "/breaks",
        scope: "read",
        handler: () => {
          throw new Error("a secret of the inside");
        },
      }),
      route({
        ...shared,
        method: "GET",
        path: "/refuses",
        scope: "read",
        handler: () => {
          throw new GatewayError("agent_error", "it said no", {
            rpc: { code: -32000, message: "no" },
            retryAfterSeconds: 1.2,
          });
        },
      }),
      route({
        ...shared,
        method: "PUT",
        path: "/raw",
        scope: "files",
        body: "raw",
        handler: async ({ request }) => {
          let bytes = 0;
          for await (const chunk of limitedBody(request, RAW_BYTES) ?? []) bytes += chunk.byteLength;
          return json({ bytes });
        },
      }),
    ],
  };
}

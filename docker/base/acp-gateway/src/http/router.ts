import { Hono } from "hono";
import { GatewayError } from "../gateway-error.ts";
import type { Incoming } from "./invoke.ts";
import type { Route } from "./route.ts";

type Bindings = { Bindings: { incoming: Incoming; found: (path: string) => void } };
type Invoke = (route: Route, params: Record<string, string>, incoming: Incoming) => Promise<Response>;

/** Finds the route of a request. Throws GatewayError where there is none, or none of this method. */
export function createRouter(routes: readonly Route[], invoke: Invoke) {
  const app = new Hono<Bindings>();
  for (const route of routes) {
    app.on(route.method, route.path, (c) => {
      c.env.found(route.path);
      return invoke(route, c.req.param() as Record<string, string>, c.env.incoming);
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
    app.all(path, (c) => {
      c.env.found(path);
      throw new GatewayError("method_not_allowed", `use ${allow}`, { headers: { allow } });
    });
  }
  app.onError((error) => {
    throw error;
  });
  app.notFound((c) => {
    throw new GatewayError("not_found", `nothing is served at ${c.req.path.slice(0, 500)}`);
  });
  return {
    answer: (request: Request, incoming: Incoming, found: (path: string) => void) =>
      Promise.resolve(app.fetch(request, { incoming, found })),
  };
}

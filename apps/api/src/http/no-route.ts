import type { Context } from "hono";
import { ApiError } from "./problem.ts";
import type { ApiEnv, ApiRouter } from "./router.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Answers what no route took: another method of a known path, or an unknown path. */
export function createNoRouteAnswer(app: ApiRouter): (c: Context<ApiEnv>) => Response {
  return (c) => {
    const taken = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    if (taken.length === 0) throw new ApiError("not_found", "No route has this path; /docs lists them");
    const allow = [...taken, ...(taken.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
    if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw new ApiError("method_not_allowed", `This path takes ${allow}`, { headers: { allow } });
  };
}

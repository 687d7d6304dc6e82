import type { ProblemCode, Violation } from "@agentpod/types";
import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { Context, Handler } from "hono";
import { routePath } from "hono/route";
import type { z } from "zod";
import type { RouteLabel } from "../services/metrics/requests.ts";
import { checkLength, readJsonObject } from "./json-body.ts";
import { checkScope, type Principal, SECURITY_SCHEME, type Scope } from "./principal.ts";
import { ApiError } from "./problem.ts";
import type { Server } from "./sockets.ts";
import { toViolations } from "./violations.ts";

/** What the front of the API hands to every handler, as `c.env`. */
export interface ApiEnv {
  Bindings: {
    requestId: string;
    principal: Principal;
    /** Absent when the app is called without a listening server. */
    server: Server | undefined;
    /** Set when the body was read already. */
    body?: Buffer;
    /** Set once a route took the request. */
    route?: RouteLabel;
    /** Set once the request turned out to use what is deprecated. */
    isLegacy?: boolean;
  };
}

export type ApiRouter = OpenAPIHono<ApiEnv>;

type Target = "param" | "query" | "header" | "json";

/** What a route may have besides what OpenAPI describes. */
export interface RouteChecks {
  /** Looks further into a body that its schema refused, so that everything wrong is told at once. */
  findMore?: (body: Record<string, unknown>) => readonly Violation[];
  /** A deprecated field of the body; a route that is `deprecated` itself needs none. */
  legacyField?: string;
}

/**
 * A router whose `openapi(createRoute(...), handler)` checks the caller's scope and all declared
 * input before the handler runs, and fails with an ApiError otherwise. Every route must declare
 * `security` (`requireScope(...)` or `openToAll`) and may take one JSON body.
 */
export function createRouter(): ApiRouter {
  const router = new OpenAPIHono<ApiEnv>();
  // The library's own registration runs one asynchronous middleware for each part of the input and
  // lets a body of another media type through; one handler does it all, in order, at a third of the cost.
  const register = ({ findMore, legacyField, ...route }: RouteConfig & RouteChecks, handler: Handler<ApiEnv>) => {
    router.openAPIRegistry.registerPath(route);
    const path = route.path.replaceAll(/\{(.+?)\}/g, ":$1");
    return router.on([route.method], [path], guarded(route, handler, { findMore, legacyField }));
  };
  router.openapi = register as unknown as ApiRouter["openapi"];
  return router;
}

/** Tells the front which route took the request. For one that is not described; `openapi` does it by itself. */
export function labelled(handler: Handler<ApiEnv>, { writes } = { writes: false }): Handler<ApiEnv> {
  // Known only now that the router is mounted, and from then on always the same.
  let label: RouteLabel | undefined;
  return (c, next) => {
    c.env.route = label ??= { pattern: routePath(c).replaceAll(/:(\w+)(?:\{[^/]*\})?/g, "{$1}"), writes };
    return handler(c, next);
  };
}

function guarded(
  route: RouteConfig,
  handler: Handler<ApiEnv>,
  { findMore, legacyField }: { [Check in keyof RouteChecks]: RouteChecks[Check] | undefined },
): Handler<ApiEnv> {
  const scopes = requiredScopes(route);
  const writes = scopes.some((scope) => scope.endsWith(":write"));
  const { params, query, headers } = route.request ?? {};
  const body = bodySchema(route);
  const checkInput = (c: Context<ApiEnv>) => {
    if (route.deprecated === true) c.env.isLegacy = true;
    for (const scope of scopes) checkScope(c.env.principal, scope);
    if (params !== undefined) accept(c, "param", params as z.ZodType, c.req.param());
    if (query !== undefined) accept(c, "query", query as z.ZodType, queryOf(c));
    if (headers !== undefined) accept(c, "header", headers as z.ZodType, c.req.header());
  };
  if (body === undefined) {
    const mayBringBody = route.method !== "get";
    const run: Handler<ApiEnv> = (c, next) => {
      checkInput(c);
      if (mayBringBody) checkLength(c.req.raw);
      return handler(c, next);
    };
    return labelled(run, { writes });
  }
  const run: Handler<ApiEnv> = async (c, next) => {
    checkInput(c);
    const sent = await readJsonObject(c.req.raw, c.env.body);
    if (legacyField !== undefined && Object.hasOwn(sent, legacyField)) c.env.isLegacy = true;
    accept(c, "json", body, sent, () => findMore?.(sent) ?? []);
    return await handler(c, next);
  };
  return labelled(run, { writes });
}

function accept(
  c: Context<ApiEnv>,
  target: Target,
  schema: z.ZodType,
  input: unknown,
  findMore: () => readonly Violation[] = () => [],
): void {
  const result = schema.safeParse(input);
  if (!result.success) {
    const errors = [...toViolations(result.error.issues, input, fieldsOf(schema)), ...findMore()];
    throw new ApiError(codeOf(target, errors), summary(errors), { errors });
  }
  c.req.addValidatedData(target, result.data as object);
}

/** What is gone is told as gone, whatever else is wrong. */
function codeOf(target: Target, errors: readonly Violation[]): ProblemCode {
  if (target !== "json") return "invalid_request";
  return errors.some(({ code }) => code === "container_tiers_sunset") ? "container_tiers_sunset" : "validation_failed";
}

const SUMMED_UP_MAX = 5;

function summary(errors: readonly Violation[]): string {
  const rest = errors.length - SUMMED_UP_MAX;
  const shown = errors.slice(0, SUMMED_UP_MAX).map(({ message }) => message);
  return (rest > 0 ? [...shown, `and ${rest} more`] : shown).join("; ");
}

function queryOf(c: Context<ApiEnv>): Record<string, string | string[]> {
  if (!c.req.url.includes("?")) return {};
  // The front has seen to it.
  const entries = Object.entries(c.req.queries()).filter(([name]) => name !== "ticket" || c.req.method !== "GET");
  return Object.fromEntries(entries.map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]));
}

function fieldsOf(schema: z.ZodType): string[] {
  return "shape" in schema ? Object.keys(schema.shape as object) : [];
}

function bodySchema(route: RouteConfig): z.ZodType | undefined {
  const content = route.request?.body?.content;
  if (content === undefined) return undefined;
  const media = content["application/json"];
  const schema = media !== undefined && "schema" in media ? media.schema : undefined;
  if (schema !== undefined && "safeParse" in schema) return schema as z.ZodType;
  throw new Error(`${nameOf(route)} declares a body that is not a schema of application/json`);
}

function requiredScopes(route: RouteConfig): Scope[] {
  if (route.security === undefined) throw new Error(`${nameOf(route)} does not declare who may call it`);
  return route.security.flatMap((requirement) => (requirement[SECURITY_SCHEME] ?? []) as Scope[]);
}

function nameOf(route: RouteConfig): string {
  return `${route.method.toUpperCase()} ${route.path}`;
}

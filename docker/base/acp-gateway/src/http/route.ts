import type { z } from "zod";
import type { ErrorCode } from "../gateway-error.ts";
import type { Caller, Scope } from "../types.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What an answer of one status holds. A schema is one of JSON, or of each event of a stream. */
type DeclaredAnswer = {
  description: string;
  schema?: z.ZodType;
  /** Absent: application/json where there is a schema, else no body. */
  types?: readonly string[];
};

type RouteContext<Params, Query, Headers, Body> = {
  request: Request;
  url: URL;
  params: Params;
  query: Query;
  headers: Headers;
  body: Body;
  /** What `*` stands for, still percent-encoded. */
  rest: string;
  caller: Caller;
  requestId: string;
  /** Takes the limit off how long the connection may be silent: for answers that take long. */
  keepOpen: () => void;
};

type RouteShape = {
  method: Method;
  /** Such as `/v1/sessions/:id` or `/v1/fs/*`. */
  path: string;
  /** The scope a token needs; null: any token; public: none. */
  scope: Scope | null | "public";
  summary: string;
  responses: Readonly<Record<number, DeclaredAnswer>>;
  /** Beside those that any route can answer. */
  errors?: readonly ErrorCode[];
};

/** One method of one path: how it is routed, checked, documented and answered. Made by `route`. */
export type Route = RouteShape & {
  query: z.ZodObject | undefined;
  headers: z.ZodObject | undefined;
  /** raw: the handler reads the request's body itself, through `readLimited` or `limitedBody`. */
  body: z.ZodType | "raw" | undefined;
  handler: (context: RouteContext<Record<string, string>, unknown, unknown, unknown>) => Response | Promise<Response>;
};

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

type PathNames<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? PathNames<Head> | PathNames<Tail>
  : Path extends `:${infer Name}`
    ? Name
    : never;

/** Declares a route. The handler is called only with what its schemas let through. */
export function route<
  const Path extends string,
  Query extends z.ZodObject | undefined = undefined,
  Headers extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | "raw" | undefined = undefined,
>(
  spec: RouteShape & {
    path: Path;
    query?: Query;
    headers?: Headers;
    body?: Body;
    handler: (
      context: RouteContext<Record<PathNames<Path>, string>, Parsed<Query>, Parsed<Headers>, Parsed<Body>>,
    ) => Response | Promise<Response>;
  },
): Route {
  const { query, headers, body, handler } = spec;
  return { ...spec, query, headers, body, handler: handler as Route["handler"] };
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(value, { status, headers });
}

export function noContent(headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 204, headers });
}

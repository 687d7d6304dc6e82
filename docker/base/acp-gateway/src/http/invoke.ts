import { requireScope } from "../auth-handler.ts";
import { GatewayError } from "../gateway-error.ts";
import type { Caller } from "../types.ts";
import type { BodyReader } from "./body.ts";
import { parseJson } from "./parse-json.ts";
import type { Route } from "./route.ts";
import { createValidation } from "./validate.ts";

/** Known of a request before its route is. */
export type Incoming = {
  request: Request;
  url: URL;
  /** Null on a public path. */
  caller: Caller | null;
  requestId: string;
  keepOpen: () => void;
};

const NOBODY: Caller = { name: "nobody", scopes: new Set() };

type InvokeDeps = { bodies: BodyReader; bodyBytes: number };

/** Checks a request against its route, all of it before anything is refused, and calls the handler. */
export function createInvoke({ bodies, bodyBytes }: InvokeDeps) {
  return async (route: Route, params: Record<string, string>, incoming: Incoming): Promise<Response> => {
    const { request, url } = incoming;
    const caller = incoming.caller ?? NOBODY;
    if (route.scope !== null && route.scope !== "public") requireScope(caller, route.scope);
    const validation = createValidation();
    const query = validation.check(route.query, queryOf(url, validation.add), "query");
    const headers = validation.check(route.headers, headersOf(request, route), "header");
    const { body: schema } = route;
    let body: unknown;
    if (schema !== undefined && schema !== "raw") {
      body = validation.check(schema, await readBody(request), "body");
    }
    validation.finish();
    const rest = route.path.endsWith("/*") ? restOf(route.path, request.url) : "";
    return await route.handler({ ...incoming, caller, params, query, headers, body, rest });
  };

  /** Undefined when there is no body. */
  async function readBody(request: Request): Promise<unknown> {
    const bytes = await bodies.read(request, bodyBytes);
    if (bytes.byteLength === 0) return undefined;
    const type = request.headers.get("content-type") ?? "";
    // A page of elsewhere cannot send this type without asking first.
    if (!/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(type)) {
      throw new GatewayError("unsupported_media_type", "send the body as application/json");
    }
    return parseJson(bytes);
  }
}

function queryOf(url: URL, add: (violation: { path: string; code: string; message: string }) => void) {
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name === "ticket") continue;
    if (Object.hasOwn(query, name)) {
      add({ path: `?${name.slice(0, 200)}`, code: "duplicate", message: "the parameter is given twice" });
    }
    query[name] = value;
  }
  return query;
}

function headersOf({ headers }: Request, route: Route): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(route.headers?.shape ?? {})) {
    const value = headers.get(name);
    if (value !== null) found[name] = value;
  }
  return found;
}

/** From the URL as it was sent: `..` and `%2f` in it are the handler's to judge. */
function restOf(path: string, rawUrl: string): string {
  const start = rawUrl.indexOf("/", rawUrl.indexOf("//") + 2);
  const pathname = rawUrl.slice(start).replace(/[?#].*$/s, "");
  const parts = path.split("/").length - 1;
  return pathname.split("/").slice(parts).join("/");
}

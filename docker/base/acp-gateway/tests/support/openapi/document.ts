import { z } from "zod";
import { type ErrorCode, ERRORS } from "../../../src/gateway-error.ts";
import { SCOPES } from "../../../src/types.ts";
import * as wire from "../../../src/wire/index.ts";
import type { Route } from "../../../src/http/route.ts";
import type { SocketRoute } from "../../../src/http/websockets.ts";

/** What any route can answer, whatever it is. */
const ALWAYS: readonly ErrorCode[] = ["invalid_request", "origin_not_allowed", "internal"];
const GUARDED: readonly ErrorCode[] = ["unauthorized", "host_not_allowed", "too_many_requests", "shutting_down"];
const WITH_BODY: readonly ErrorCode[] = ["invalid_json", "body_too_large", "unsupported_media_type", "request_timeout"];

const ABOUT = [
  "Coding agents behind the Agent Client Protocol, over HTTP.",
  "A prompt is taken (202) once it is kept, and its turn needs no connection; `GET …/events` follows it from any seq on.",
  "Answers from 400 on are problem+json with a code; which codes an operation can answer stands at its statuses.",
  "`x-scope` is the scope a token needs; `x-websocket` is what a path serves to a WebSocket.",
].join(" ");

type JsonSchema = Record<string, unknown>;
type Documented = { routes: readonly Route[]; sockets: readonly Pick<SocketRoute, "path" | "summary" | "scope">[] };

/** An OpenAPI 3.1 document of everything that is served, from the route table itself. */
export function openApiOf({ routes, sockets }: Documented, version: string) {
  const components = createComponents(routes);
  const problems: Problems = {};
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = pathOf(route.path);
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, components, problems);
  }
  for (const { path, summary, scope } of sockets) {
    const operations = (paths[pathOf(path)] ??= {});
    // OpenAPI has no word for a WebSocket: it stands beside what the same path answers to GET.
    operations["x-websocket"] = { summary, "x-scope": scope, parameters: pathParameters(path) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "AgentPod ACP gateway", version, description: ABOUT },
    security: [{ token: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: components.schemas,
      responses: problems,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: `Scopes: ${SCOPES.join(", ")}` },
        cookie: { type: "apiKey", in: "cookie", name: "agentpod_gateway" },
        ticket: { type: "apiKey", in: "query", name: "ticket" },
      },
    },
  };
}

type Components = ReturnType<typeof createComponents>;

/** JSON schemas of all that the routes name; those of the wire stand once, under their names. */
function createComponents(routes: readonly Route[]) {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(wire)) {
    if (isNamed(schema)) registry.add(schema, { id: `${name[0]?.toUpperCase()}${name.slice(1)}` });
  }
  const named = new Set<string>();
  for (const schema of Object.values(wire)) if (isNamed(schema)) named.add(registry.get(schema)?.id ?? "");
  let count = 0;
  for (const schema of routes.flatMap(schemasOf)) {
    // Converted together with the named ones, so that it refers to them; written where it is used.
    if (!registry.has(schema)) registry.add(schema, { id: `inline${(count += 1)}` });
  }
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: "input" });
  for (const schema of Object.values<JsonSchema>(schemas as Record<string, JsonSchema>)) {
    delete schema["$schema"];
    delete schema["$id"];
  }
  return {
    schemas: Object.fromEntries(Object.entries(schemas).filter(([id]) => named.has(id))),
    of(schema: z.ZodType): unknown {
      const id = registry.get(schema)?.id ?? "";
      return named.has(id) ? { $ref: `#/components/schemas/${id}` } : schemas[id];
    },
  };
}

/** Structures; a lone string or number is written where it is used. */
function isNamed(value: unknown): value is z.ZodType {
  const isSchema = value instanceof z.ZodType;
  return (
    isSchema && !(value instanceof z.ZodString || value instanceof z.ZodNumber || value instanceof z.ZodISODateTime)
  );
}

function schemasOf({ query, headers, body, responses }: Route): z.ZodType[] {
  return [
    ...Object.values<z.ZodType>(query?.shape ?? {}),
    ...Object.values<z.ZodType>(headers?.shape ?? {}),
    ...(body === undefined || body === "raw" ? [] : [body]),
    ...Object.values(responses).flatMap(({ schema }) => schema ?? []),
  ];
}

function operationOf(route: Route, components: Components, problems: Problems) {
  const { summary, scope, responses, body, query, headers, path } = route;
  const isPublic = scope === "public";
  const codes = new Set<ErrorCode>([
    ...ALWAYS,
    ...(isPublic ? [] : GUARDED),
    ...(scope === null || isPublic ? [] : (["forbidden"] as const)),
    ...(body === undefined ? [] : WITH_BODY),
    ...(path.startsWith("/v1/sessions/:id") ? (["session_not_found"] as const) : []),
    ...(route.errors ?? []),
  ]);
  return {
    summary,
    operationId: operationId(route),
    tags: [tagOf(path)],
    ...(isPublic ? { security: [] } : {}),
    "x-scope": scope === null ? "any" : scope,
    parameters: [
      ...pathParameters(path),
      ...parametersOf(query, "query", components),
      ...parametersOf(headers, "header", components),
    ],
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body, components) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, answer]) => [status, answerOf(answer, components)]),
      ),
      ...problemsOf(codes, problems),
    },
  };
}

function answerOf({ description, schema, types }: Route["responses"][number], components: Components) {
  if (schema === undefined && types === undefined) return { description };
  const content = (types ?? ["application/json"]).map((type) => [
    type,
    { schema: type === "application/json" && schema ? components.of(schema) : { type: "string" } },
  ]);
  return { description, content: Object.fromEntries(content) };
}

function requestBodyOf(body: NonNullable<Route["body"]>, components: Components) {
  if (body === "raw") return { required: false, content: { "*/*": { schema: {} } } };
  const required = !body.safeParse(undefined).success;
  return { required, content: { "application/json": { schema: components.of(body) } } };
}

/** Responses that several operations share, by the codes they can have. */
type Problems = Record<string, unknown>;

/** Problems by status; the description lists the codes it can have. */
function problemsOf(codes: ReadonlySet<ErrorCode>, problems: Problems) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  const schema = { $ref: "#/components/schemas/Problem" };
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => {
      const name = list.toSorted().join(".");
      problems[name] = {
        description: list.toSorted().join(", "),
        content: { "application/problem+json": { schema } },
      };
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function parametersOf(schema: z.ZodObject | undefined, place: "query" | "header", components: Components) {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...written } = components.of(field as z.ZodType) as JsonSchema;
    return {
      name,
      in: place,
      ...(description === undefined ? {} : { description }),
      required: !(field as z.ZodType).safeParse(undefined).success,
      schema: written,
    };
  });
}

function pathParameters(path: string) {
  return pathNames(path).map((name) => ({
    name,
    in: "path",
    description: name === "path" ? "A path, with its slashes" : `Id of the ${PARTS[name] ?? thingAt(path)}`,
    required: true,
    schema: { type: "string" },
  }));
}

const PARTS: Readonly<Record<string, string>> = {
  agent: "agent",
  promptId: "prompt",
  permissionId: "request for permission",
  elicitationId: "question",
  providerId: "provider",
};

/** What `:id` is of: session in /v1/sessions/:id. */
const thingAt = (path: string): string => path.split("/")[2]?.replace(/s$/, "") ?? "";

function pathNames(path: string): string[] {
  return [...path.matchAll(/:(\w+)|\*/g)].map(([all, name]) => (all === "*" ? "path" : (name ?? "")));
}

const pathOf = (path: string): string => path.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{path}");

/** Such as postSessionsIdPrompt. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "" && word !== "v1");
  return method.toLowerCase() + words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join("");
}

function tagOf(path: string): string {
  const [first = "", second = ""] = path.split("/").slice(1);
  return first === "v1" ? second : first === "acp" ? "acp" : "gateway";
}

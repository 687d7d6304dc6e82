import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { z } from "zod";
import {
  type DeclaredResponse,
  type Document,
  operationsAt,
  operationsOf,
  resolveRef,
} from "../../../../../apps/api/tests/support/fuzz/document.ts";
import { ERRORS } from "../../src/gateway-error.ts";
import { problem as problemSchema } from "../../src/wire/index.ts";

export type Answered = {
  method: string;
  /** Null where it is a matter of taste which route the request was for. */
  target: string | null;
  status: number;
  headers: Headers;
  body: string;
};
export type Check = (answered: Answered) => string[];

const CODES = Object.keys(ERRORS);

/** Says what of an answer is not as the OpenAPI document declares it, one line each. */
export function createAnswerCheck(document: Document): Check {
  const operations = operationsOf(withoutSockets(document));
  const validatorOf = createValidators(document);

  return ({ method, target, status, headers, body }) => {
    const found: string[] = [];
    if (headers.get("x-request-id") === null) found.push("no x-request-id");
    if (headers.get("x-content-type-options") !== "nosniff") found.push("no x-content-type-options");
    if (target === null)
      return status < 400 || method === "HEAD" ? found : [...found, ...problemOf(status, headers, body)];
    // What stands for a whole path has slashes of its own, or is nothing.
    const here = operationsAt(operations, target.replace(/\/fs\/[^?]*/, "/fs/path"));
    const operation = here.find((candidate) => candidate.method === (method === "HEAD" ? "GET" : method));
    const answer = operation?.responses[String(status)];
    if (answer === undefined) {
      const allowed = [404, 405, 403, 421, 401, 429].includes(status) || (method === "OPTIONS" && status === 204);
      if (operation !== undefined) found.push(`status ${status} is not declared`);
      else if (!allowed) found.push(`status ${status}`);
      if (method !== "HEAD" && status >= 400) found.push(...problemOf(status, headers, body));
      return found;
    }
    if (method === "HEAD") return body === "" ? found : [...found, "HEAD has a body"];
    const declared = answer.$ref === undefined ? answer : (resolveRef(document, answer.$ref) as DeclaredResponse);
    if (declared.content === undefined) return body === "" ? found : [...found, `status ${status} has a body`];
    const [type = ""] = (headers.get("content-type") ?? "").split(";");
    const content = declared.content[type] ?? declared.content["*/*"];
    if (content === undefined) return [...found, `content type '${type}' is not declared for ${status}`];
    if (!type.endsWith("json")) return found;
    const validate = validatorOf(content.schema ?? {});
    const value: unknown = JSON.parse(body);
    if (!validate(value)) {
      found.push(...(validate.errors ?? []).map(({ instancePath, message }) => `the body${instancePath} ${message}`));
    }
    if (type !== "application/problem+json") return found;
    const code = z.looseObject({ code: z.string() }).safeParse(value).data?.code ?? "";
    if (!(declared.description ?? "").split(", ").includes(code)) found.push(`code ${code} is not declared`);
    return [...found, ...problemOf(status, headers, body)];
  };
}

/** What is wrong with an answer as a problem, whatever its code. */
function problemOf(status: number, headers: Headers, body: string): string[] {
  if (headers.get("content-type") !== "application/problem+json") return [`status ${status} is no problem+json`];
  const problem = problemSchema.safeParse(JSON.parse(body)).data;
  if (problem === undefined) return ["the body is not a problem"];
  const found: string[] = [];
  if (!CODES.includes(problem.code)) found.push(`code ${problem.code} is not of the list`);
  if (problem.status !== status) found.push(`status ${status} and the problem's ${problem.status} differ`);
  if (problem.requestId !== headers.get("x-request-id")) found.push("requestId is not that of the header");
  if (/\bat .+:\d+:\d+|SQLITE|node_modules/.test(body)) found.push("the problem tells of the inside");
  return found;
}

type Schema = NonNullable<NonNullable<DeclaredResponse["content"]>[string]["schema"]>;

/** Validators in which an object has no other fields than the declared ones. */
function createValidators(document: Document): (schema: Schema) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false });
  addFormats(ajv);
  ajv.addSchema(closed(withoutSockets(document)) as object, "api");
  const known = new Map<string, ValidateFunction>();
  return (schema) => {
    const text = JSON.stringify(closed(schema)).replaceAll('"#/components/', '"api#/components/');
    let validate = known.get(text);
    if (validate === undefined) known.set(text, (validate = ajv.compile(JSON.parse(text) as object)));
    return validate;
  };
}

function closed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const fields = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, closed(child)]));
  const isObject = fields["type"] === "object" && typeof fields["properties"] === "object";
  return isObject && !("additionalProperties" in fields) ? { ...fields, additionalProperties: false } : fields;
}

/** A path's members that are no operations are not what OpenAPI's readers expect. */
export function withoutSockets(document: Document): Document {
  const paths = Object.entries(document.paths).map(([path, operations]) => [
    path,
    Object.fromEntries(Object.entries(operations).filter(([name]) => !name.startsWith("x-"))),
  ]);
  return { ...document, paths: Object.fromEntries(paths) as Document["paths"] };
}

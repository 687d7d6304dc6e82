import { Problem, ProblemCode } from "@agentpod/types";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  type DeclaredResponse,
  type Document,
  type Operation,
  operationsAt,
  operationsOf,
  resolveRef,
} from "./document.ts";
import type { Answer, Outcome } from "./exchange.ts";
import type { FuzzRequest } from "./request.ts";

/** Says what is wrong with an outcome, one line each; none when it is as the document declares. */
export type Check = (request: FuzzRequest, outcome: Outcome) => string[];

/** What Bun answers by itself to requests that are no HTTP, before the API sees them. */
const statusesOfBrokenHttp = new Set([400, 413, 414, 431, 501, 505]);
/** A stack in a JSON text, a place in a source file, or words that only the inside has. */
const inside = /\\n\s+at |\.[cm]?[jt]sx?:\d+|SQLITE|node_modules/;
/** What any path answers to a method that it does not take, or where there is no route. */
const codesOutsideRoutes: readonly string[] = [
  "not_found",
  "method_not_allowed",
  "host_not_allowed",
  "origin_not_allowed",
];

export function createCheck(document: Document): Check {
  const operations = operationsOf(document);
  const validatorOf = createValidators(document);

  return (request, outcome) => {
    if (outcome === "timeout") return ["no answer in time"];
    if (outcome === "closed") return request.isBroken ? [] : ["closed without an answer"];
    const { status, headers } = outcome;
    const isBuns = headers.get("x-request-id") === null;
    if (isBuns && statusesOfBrokenHttp.has(status) && request.isBroken) return [];

    const found: string[] = [];
    if (isBuns) found.push("no x-request-id");
    if (headers.get("x-content-type-options") !== "nosniff") found.push("no x-content-type-options");
    const here = operationsAt(operations, request.target);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const operation = here.find((candidate) => candidate.method === method);
    const declared = operation && responseOf(document, operation, status);
    // What another server answers is passed on as it is.
    const isForeign = declared !== undefined && declared === operation?.responses["default"];
    if (status >= 500 && (declared === undefined || (status !== 503 && status !== 502))) found.push(`status ${status}`);
    if (declared === undefined) return [...found, ...outsideRoutes(request, outcome, here)];
    if (isForeign) return request.method === "HEAD" && outcome.body.length > 0 ? [...found, "HEAD has a body"] : found;
    return [...found, ...asDeclared(request, outcome, declared, validatorOf)];
  };

  function outsideRoutes(request: FuzzRequest, outcome: Answer, here: readonly Operation[]): string[] {
    const { status, headers } = outcome;
    if (request.method === "OPTIONS") {
      const isKnown = here.length === 0 ? "not_found" : "";
      if (status === 204)
        return headers.has("allow") || headers.has("access-control-allow-methods") ? [] : ["no allow"];
      return problemOf(outcome, [isKnown, ...codesOutsideRoutes]);
    }
    if (request.isOddPath) {
      // Which route it is, if any, is up to the reader: then the answer must be one of some route.
      const isSomewhere = operations.some(({ responses }) => String(status) in responses);
      return isSomewhere || status === 405 ? [] : [`status ${status}, which no route has`];
    }
    const takes = here.some(({ method }) => method === (request.method === "HEAD" ? "GET" : request.method));
    if (takes) return [`status ${status} is not declared`];
    const code = here.length === 0 ? "not_found" : "method_not_allowed";
    const found = problemOf(outcome, [code, "host_not_allowed", "origin_not_allowed"], request.method === "HEAD");
    return code === "method_not_allowed" && status === 405 && !headers.has("allow") ? [...found, "no allow"] : found;
  }
}

function responseOf(document: Document, { responses }: Operation, status: number): DeclaredResponse | undefined {
  const declared = responses[String(status)] ?? responses["default"];
  return declared?.$ref === undefined ? declared : (resolveRef(document, declared.$ref) as DeclaredResponse);
}

type ValidatorOf = (response: DeclaredResponse, type: string) => ValidateFunction;

function asDeclared(
  { method, isOddPath }: FuzzRequest,
  outcome: Answer,
  declared: DeclaredResponse,
  validatorOf: ValidatorOf,
): string[] {
  const { status, headers, body } = outcome;
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  if (method === "HEAD") return body.length > 0 ? ["HEAD has a body"] : [];
  if (declared.content === undefined) return body.length > 0 ? [`status ${status} has a body`] : [];
  if (!(type in declared.content)) return [`content type '${type}' is not declared for ${status}`];
  if (!type.endsWith("json")) return [];
  const value = parse(body);
  if (value === undefined) return ["the body is not JSON"];
  const validate = validatorOf(declared, type);
  const found = validate(value)
    ? []
    : (validate.errors ?? []).map(
        (error) => `the body${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
      );
  if (type !== "application/problem+json") return found;
  const codes = (declared.description ?? "").split(/,\s*/);
  return [...found, ...problemOf(outcome, isOddPath ? [...codes, "not_found"] : codes)];
}

/** What is wrong with an answer as a problem with one of these codes. */
function problemOf({ status, headers, body }: Answer, codes: readonly string[], isHead = false): string[] {
  if (isHead) return status === 404 || status === 405 || status === 403 ? [] : [`status ${status}`];
  if (headers.get("content-type") !== "application/problem+json") return [`status ${status} is no problem+json`];
  const problem = Problem.safeParse(parse(body)).data;
  if (problem === undefined) return ["the body is not a problem"];
  const found: string[] = [];
  if (!ProblemCode.options.includes(problem.code)) found.push(`code ${problem.code} is not of the list`);
  if (!codes.includes(problem.code)) found.push(`code ${problem.code} is not among ${codes.join()}`);
  if (problem.status !== status) found.push(`status ${status} and its problem's ${problem.status} differ`);
  if (problem.requestId !== headers.get("x-request-id")) found.push("requestId is not that of the header");
  if (inside.test(body.toString())) found.push("the problem tells of the inside");
  return found;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Validators of declared bodies, in which an object has no other fields than the declared ones. */
function createValidators(document: Document): ValidatorOf {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats(ajv);
  ajv.addSchema(closed(document) as object, "api");
  const known = new Map<string, ValidateFunction>();
  return (response, type) => {
    const schema = closed(response.content?.[type]?.schema ?? {});
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    let validate = known.get(text);
    if (validate === undefined) known.set(text, (validate = ajv.compile(JSON.parse(text) as object)));
    return validate;
  };
}

function closed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const fields = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, closed(child)]));
  const isOpen = "additionalProperties" in fields || "allOf" in fields;
  const isObject = fields["type"] === "object" && typeof fields["properties"] === "object";
  return isObject && !isOpen ? { ...fields, additionalProperties: false } : fields;
}

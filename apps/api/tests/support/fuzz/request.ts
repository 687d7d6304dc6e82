import type { Random } from "../random.ts";
import type { Operation } from "./document.ts";
import { brokenHeader, type Header, oddContentType, oddHeaders } from "./headers.ts";
import { mutateJson, mutateValue } from "./mutate.ts";
import { nastyText } from "./nasty.ts";
import { sample, type Sampler } from "./sample.ts";

export interface FuzzRequest {
  method: string;
  /** As it is sent: a path with its query. */
  target: string;
  headers: readonly Header[];
  body: Buffer | undefined;
  /** How the body is announced; the last three are lies. */
  framing: "length" | "chunked" | "too short" | "too long" | "both";
  /** Whether HTTP itself is broken, so that the server may refuse before the API sees anything. */
  isBroken: boolean;
  /** Whether the path was changed into one whose reading is a matter of taste. */
  isOddPath: boolean;
}

/** What is asked of a gateway: some of it is there, some is refused on the way. */
const gatewayPaths = [
  "v1/sessions",
  "v1/sessions/s1/prompt?wait=1",
  "v1/fs/a%20b",
  "health",
  "acp",
  "metrics",
  "v1/login",
  "v1/%2e%2e/info",
  "v1//x",
  "nope",
];

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** That HTTP allows and nothing here takes; then such that Bun does not know and closes the connection on. */
const oddMethods = ["TRACE", "PROPFIND", "MKCOL"];
const unknownMethods = ["get", "X", "BREW"];

/** A request for an operation: in one of three cases as it should be, else with one thing wrong or several. */
export function makeRequest(sampler: Sampler, operation: Operation): FuzzRequest {
  const { random } = sampler;
  const { below, pick } = random;
  const isMutated = below(3) > 0;
  const mutates = (inOf: number): boolean => isMutated && below(inOf) === 0;

  const path = mutates(5) ? oddPath(random, operation.path) : fillPath(sampler, operation);
  const headers: Header[] = [["host", "127.0.0.1"], ...ownHeaders(sampler, operation)];
  if (mutates(3)) headers.push(...oddHeaders(random));
  let body = bodyOf(sampler, operation, isMutated);
  if (body === undefined && mutates(12)) body = Buffer.from('{"name":"unasked"}');
  if (body !== undefined && !mutates(8))
    headers.push(["content-type", mutates(6) ? oddContentType(random) : "application/json"]);
  const isHeaderBroken = mutates(20);
  if (isHeaderBroken) headers.push(brokenHeader(random));
  const isLying = body !== undefined && mutates(14);
  const method = mutates(10) ? pick(pick([methods, methods, methods, oddMethods, unknownMethods])) : operation.method;
  return {
    method,
    target: path + queryOf(sampler, operation, isMutated),
    headers,
    body,
    framing: isLying ? pick(["too short", "too long", "both"] as const) : below(6) === 0 ? "chunked" : "length",
    isBroken: isHeaderBroken || isLying || unknownMethods.includes(method),
    isOddPath: path.includes("%") || path.includes("//") || path.includes("/.") || !path.startsWith("/"),
  };
}

function fillPath(sampler: Sampler, { method, path }: Operation): string {
  const { random, ids } = sampler;
  // What is there from the start is seldom touched, so that there is something to make projects from.
  const isChanging = method !== "GET" && !path.startsWith("/api/projects");
  const known = ids.inPath(path);
  const own = known.filter((id) => !isChanging || id.startsWith("fuzz-") || random.below(60) === 0);
  const made = `fuzz-${random.below(60)}`;
  const id = own.length > 0 && random.below(8) > 0 ? random.pick(own) : made;
  return path.replaceAll(/\{\w+\}/g, (name) => (name === "{path}" ? random.pick(gatewayPaths) : id));
}

function oddPath(random: Random, template: string): string {
  const { below, pick } = random;
  const id = pick([
    encodeURIComponent(nastyText(random).toWellFormed()).slice(0, 6_000),
    "%00",
    "%2e%2e",
    "..",
    "%2F",
    "%zz",
    "%",
    "a%20b",
    "%ff%fe",
    "x".repeat(pick([129, 6_000])),
    "",
    ":id",
    "{id}",
    "a;b=c",
    "*",
  ]);
  const filled = template.replaceAll(/\{\w+\}/g, id);
  if (below(2) === 0) return filled;
  return pick([
    `${filled}/`,
    `/${filled}`,
    filled.replace("/api", "/API"),
    filled.replace("api", "%61pi"),
    `${filled}/..`,
    `${filled}/x`,
  ]);
}

function queryOf(sampler: Sampler, { parameters }: Operation, isMutated: boolean): string {
  const { random } = sampler;
  const { below, pick } = random;
  const declared = parameters.filter((parameter) => parameter.in === "query");
  const chosen = declared.filter(({ required }) => required === true || below(3) === 0);
  const pairs = chosen.map(({ name, schema }) => {
    const isOdd = isMutated && below(3) === 0;
    const value = isOdd ? nastyText(random) : String(sample(sampler, schema ?? {}, name));
    return `${name}=${encodeURIComponent(value.toWellFormed()).slice(0, 6_000)}`;
  });
  if (isMutated && below(6) === 0)
    pairs.push(
      pick([
        "x=1",
        "limit=1&limit=2",
        "=",
        "&&&",
        "a[b]=1",
        "__proto__=1",
        "%zz=%zz",
        "after=%00",
        "follow",
        "limit=+1",
      ]),
    );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function ownHeaders(sampler: Sampler, { parameters }: Operation): Header[] {
  const { random } = sampler;
  const declared = parameters.filter((parameter) => parameter.in === "header");
  return declared
    .filter(({ required }) => required === true || random.below(3) === 0)
    .map(({ name, schema }) => [name, name === "prefer" ? "wait=1" : headerText(sample(sampler, schema ?? {}, name))]);
}

/** What a header can hold. */
const headerText = (value: unknown): string => String(value).replaceAll(/[^\u0020-\u007e]/g, "?");

function bodyOf(sampler: Sampler, { body }: Operation, isMutated: boolean): Buffer | undefined {
  if (body === undefined) return undefined;
  const { random } = sampler;
  let value = sample(sampler, body);
  if (!isMutated || random.below(3) === 0) return Buffer.from(JSON.stringify(value));
  if (random.below(12) === 0) return undefined;
  const changes = 1 + random.below(3);
  for (let done = 0; done < changes; done += 1) value = mutateValue(random, value);
  const json = JSON.stringify(value);
  return random.below(3) === 0 ? mutateJson(random, json) : Buffer.from(json);
}

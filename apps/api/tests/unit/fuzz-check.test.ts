import { describe, expect, test } from "bun:test";
import { createCheck } from "../support/fuzz/check.ts";
import type { Document } from "../support/fuzz/document.ts";
import type { Answer } from "../support/fuzz/exchange.ts";
import type { FuzzRequest } from "../support/fuzz/request.ts";
import openapi from "../../openapi.json" with { type: "json" };

const check = createCheck(openapi as unknown as Document);

const request = (method: string, target: string, changes: Partial<FuzzRequest> = {}): FuzzRequest => ({
  method,
  target,
  headers: [],
  body: undefined,
  framing: "length",
  isBroken: false,
  isOddPath: false,
  ...changes,
});

function answer(status: number, body: unknown, headers: Record<string, string | null> = {}): Answer {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  const all = { "content-type": type, "x-request-id": "r", "x-content-type-options": "nosniff", ...headers };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return { status, headers: new Headers(sent), body: Buffer.from(JSON.stringify(body) ?? ""), isLeft: false };
}

const tier = {
  id: "starter",
  name: "Starter",
  description: null,
  cpuCores: 1,
  memoryGb: 2,
  storageGb: 20,
  priceMonthly: 0,
  isDefault: true,
  sortOrder: 1,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
const problem = {
  type: "/docs/errors#resource_tier_not_found",
  title: "Resource tier not found",
  status: 404,
  code: "resource_tier_not_found",
  requestId: "r",
  error: "Resource tier not found",
};
const get = request("GET", "/api/resource-tiers/starter");

describe("the check of answers to random requests", () => {
  test("finds nothing wrong with right answers", () => {
    expect(check(get, answer(200, { tier }))).toEqual([]);
    expect(check(get, answer(404, problem))).toEqual([]);
    expect(check(request("DELETE", "/api/resource-tiers/starter"), answer(204, undefined))).toEqual([]);
  });

  test.each<[string, Answer | "closed" | "timeout"]>([
    ["no answer in time", "timeout"],
    ["closed without", "closed"],
    ["status 500", answer(500, { ...problem, status: 500, code: "internal" })],
    ["status 503", answer(503, { ...problem, status: 503, code: "not_ready" })],
    ["status 418 is not declared", answer(418, problem)],
    ["content type 'text/html' is not declared", answer(200, { tier }, { "content-type": "text/html" })],
    ["required property 'cpuCores'", answer(200, { tier: { ...tier, cpuCores: undefined } })],
    ["must be integer", answer(200, { tier: { ...tier, sortOrder: "1" } })],
    ["must match format", answer(200, { tier: { ...tier, createdAt: "yesterday" } })],
    ["must NOT have additional properties", answer(200, { tier: { ...tier, secret: "x" } })],
    ["not JSON", { ...answer(200, {}), body: Buffer.from("<html>") }],
    ["no x-request-id", answer(200, { tier }, { "x-request-id": null })],
    ["no x-content-type-options", answer(200, { tier }, { "x-content-type-options": null })],
    ["must be equal to one of the allowed values", answer(404, { ...problem, code: "nowhere" })],
    ["not among resource_tier_not_found", answer(404, { ...problem, code: "flavor_not_found" })],
    ["differ", answer(404, { ...problem, status: 400 })],
    ["requestId is not that of the header", answer(404, { ...problem, requestId: "other" })],
    ["tells of the inside", answer(404, { ...problem, detail: "SQLITE_CONSTRAINT" })],
    ["tells of the inside", answer(404, { ...problem, detail: "Error: odd\n    at find (native:1:11)" })],
    ["tells of the inside", answer(404, { ...problem, detail: "odd, in src/db/open.ts:12:3" })],
  ])("finds: %s", (complaint, outcome) => {
    expect(check(get, outcome).join("\n")).toContain(complaint);
  });

  test("takes what a request itself said for no news of the inside", () => {
    const echo = { ...problem, detail: "Use at most 3; Unknown field '2026-02-30T25:61:61Z'" };
    expect(check(get, answer(404, echo))).toEqual([]);
  });

  test("wants 405 with Allow for another method, 404 where there is no route, and nothing after HEAD and 204", () => {
    const put = request("PUT", "/api/resource-tiers/starter");
    const notTaken = { ...problem, status: 405, code: "method_not_allowed" };
    expect(check(put, answer(405, notTaken, { allow: "GET" }))).toEqual([]);
    expect(check(put, answer(405, notTaken))).toEqual(["no allow"]);
    expect(check(put, answer(200, { tier }))).not.toEqual([]);
    expect(check(request("GET", "/nowhere"), answer(200, {}))).not.toEqual([]);
    expect(check({ ...get, method: "HEAD" }, answer(200, { tier }))).toEqual(["HEAD has a body"]);
    expect(check(request("DELETE", "/api/flavors/x"), answer(204, {}))).toEqual(["status 204 has a body"]);
  });

  test("lets Bun refuse what is no HTTP, and only that", () => {
    const refused = answer(400, undefined, { "x-request-id": null, "x-content-type-options": null });
    expect(check({ ...get, isBroken: true }, refused)).toEqual([]);
    expect(check({ ...get, isBroken: true }, "closed")).toEqual([]);
    expect(check(get, refused)).not.toEqual([]);
    expect(check({ ...get, isBroken: true }, { ...refused, status: 500 })).not.toEqual([]);
  });
});

import { LegacyUsageReport } from "@agentpod/types";
import { afterEach, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

const sunsetAt = new Date("2027-01-31T00:00:00Z");
const before = () => new Date("2027-01-30T23:59:59Z");
const curl = { "user-agent": "curl/8.14.1" };
const path = "/api/container-tiers/usage";

let api: TestApp;
afterEach(async () => await api.close());

async function usage(headers: Record<string, string> = {}) {
  const { status, body } = await api.call("GET", path, undefined, headers);
  expect(status).toBe(200);
  return LegacyUsageReport.parse(body).usage.map(({ caller, client, route, outcome, count }) =>
    [caller, client, route, outcome, count].join(" "),
  );
}

const noticeIn = (headers: Headers) => ["deprecation", "sunset", "link"].map((name) => headers.has(name));

describe("the use of deprecated calls", () => {
  test("is counted by caller, client, route and outcome", async () => {
    api = createTestApp({ sunsetAt, now: before });
    await api.call("GET", "/api/container-tiers", undefined, curl);
    await api.call("GET", "/api/container-tiers", undefined, { "user-agent": "curl/7.0" });
    await api.call("GET", "/api/container-tiers/lite", undefined, curl);
    await api.call("GET", "/api/container-tiers/light", undefined, curl);
    const old = { name: "Old", containerTierId: "lite" };
    const made = await api.call("POST", "/api/projects", old, { prefer: "wait=5" });
    await api.call("POST", "/api/projects", { ...old, containerTierId: "light" });
    await api.call("PATCH", `/api/projects/${made.body.project.id}`, { containerTierId: "pro" }, curl);
    await api.call("POST", "/api/projects", { name: "Modern" }, curl);
    expect((await usage()).toSorted()).toEqual([
      "local curl GET /api/container-tiers accepted 2",
      "local curl GET /api/container-tiers/{id} accepted 1",
      "local curl GET /api/container-tiers/{id} refused 1",
      "local curl PATCH /api/projects/{id} accepted 1",
      "local unknown POST /api/projects accepted 1",
      "local unknown POST /api/projects refused 1",
    ]);
  });

  test("is told with the times it is counted since, refused from, and seen at", async () => {
    let now = before();
    api = createTestApp({ sunsetAt, now: () => now });
    await api.call("GET", "/api/container-tiers", undefined, curl);
    now = sunsetAt;
    await api.call("GET", "/api/container-tiers/pro", undefined, curl);
    const { body } = await api.call("GET", path);
    expect(body.sunsetAt).toBe("2027-01-31T00:00:00.000Z");
    expect(Math.abs(Date.parse(body.since) - Date.now())).toBeLessThan(60_000);
    expect(body.usage).toEqual([
      {
        caller: "local",
        client: "curl",
        route: "GET /api/container-tiers/{id}",
        outcome: "refused",
        count: 1,
        firstUsedAt: "2027-01-31T00:00:00.000Z",
        lastUsedAt: "2027-01-31T00:00:00.000Z",
      },
      {
        caller: "local",
        client: "curl",
        route: "GET /api/container-tiers",
        outcome: "accepted",
        count: 1,
        firstUsedAt: "2027-01-30T23:59:59.000Z",
        lastUsedAt: "2027-01-30T23:59:59.000Z",
      },
    ]);
  });

  test("goes on being counted and told after the sunset, itself without a notice", async () => {
    api = createTestApp({ sunsetAt, now: () => sunsetAt });
    await api.call("POST", "/api/projects", { name: "Late", containerTierId: "lite" }, curl);
    await api.call("GET", "/api/container-tiers", undefined, curl);
    expect((await usage()).toSorted()).toEqual([
      "local curl GET /api/container-tiers refused 1",
      "local curl POST /api/projects refused 1",
    ]);
    expect(noticeIn((await api.call("GET", path)).headers)).toEqual([false, false, false]);
  });

  test("is told to who may read projects, and not counted for who may not call", async () => {
    const token = "correct-horse-battery-staple";
    const headers = { authorization: `Bearer ${token}` };
    api = createTestApp({ sunsetAt, now: before, auth: { token } });
    expect((await api.call("GET", path)).status).toBe(401);
    expect((await api.call("GET", "/api/container-tiers", undefined, curl)).status).toBe(401);
    await api.call("GET", "/api/container-tiers", undefined, { ...curl, ...headers });
    expect(await usage(headers)).toEqual(["token curl GET /api/container-tiers accepted 1"]);
  });
});

describe("the notice that something deprecated goes away", () => {
  test.each([
    ["GET", "/api/container-tiers", undefined, 200],
    ["HEAD", "/api/container-tiers", undefined, 200],
    ["GET", "/api/container-tiers/lite", undefined, 200],
    ["GET", "/api/container-tiers/light", undefined, 404],
    ["POST", "/api/projects", { name: "", containerTierId: "lite" }, 422],
    ["POST", "/api/projects", { name: "A", containerTierId: null }, 422],
    ["POST", "/api/projects", { name: "A", containerTierId: "light" }, 422],
    ["POST", "/api/projects", { name: "A", containerTierId: "lite", sourceUrl: "file:///etc" }, 422],
    ["PATCH", "/api/projects/nope", { containerTierId: "lite" }, 404],
    ["PATCH", "/api/projects/nope", { containerTierId: "lite", nope: 1 }, 422],
  ])("is on the answer to %s %s %j, which is %p", async (method, at, body, expected) => {
    api = createTestApp({ sunsetAt, now: before });
    const { status, headers } = await api.call(method, at, body);
    expect([status, noticeIn(headers)]).toEqual([expected, [true, true, true]]);
  });

  test("is on 304, on 401 of a deprecated route, and for web pages of other origins", async () => {
    const token = "correct-horse-battery-staple";
    const origin = "https://pods.example.com";
    const authorization = `Bearer ${token}`;
    api = createTestApp({ sunsetAt, now: before, auth: { token, allowedOrigins: [origin] } });
    const first = await api.call("GET", "/api/container-tiers", undefined, { authorization });
    const etag = first.headers.get("etag") ?? "";
    const known = await api.call("GET", "/api/container-tiers", undefined, { authorization, "if-none-match": etag });
    expect([known.status, noticeIn(known.headers)]).toEqual([304, [true, true, true]]);
    const unknown = await api.call("GET", "/api/container-tiers");
    expect([unknown.status, noticeIn(unknown.headers)]).toEqual([401, [true, true, true]]);
    const page = await api.call("GET", "/api/container-tiers", undefined, { authorization, origin });
    expect(page.headers.get("access-control-expose-headers")).toContain("sunset");
    expect(noticeIn(page.headers)).toEqual([true, true, true]);
  });
});

describe("a body with a deprecated field, after the sunset", () => {
  test.each([
    ["POST", "/api/projects", { name: "A", containerTierId: "lite" }],
    ["POST", "/api/projects", { name: "A", containerTierId: null }],
    ["POST", "/api/projects", { name: "", nope: 1, containerTierId: "lite" }],
    ["POST", "/api/projects", { name: "A", containerTierId: "lite", flavorId: "nope" }],
    ["POST", "/api/projects", { name: "A", containerTierId: "lite", resourceTierId: "starter", flavorId: "js" }],
    ["PATCH", "/api/projects/:made", { containerTierId: "lite" }],
    ["PATCH", "/api/projects/:made", { containerTierId: 7, nope: 1 }],
    ["PATCH", "/api/projects/:made", { containerTierId: "lite", flavorId: "nope" }],
  ])("is refused as gone, whatever else it holds: %s %s %j", async (method, at, body) => {
    let now = before();
    api = createTestApp({ sunsetAt, now: () => now });
    const made = await api.call("POST", "/api/projects", { name: "Made", flavorId: "go" }, { prefer: "wait=5" });
    now = sunsetAt;
    const answer = await api.call(method, at.replace(":made", made.body.project.id), body);
    expect([answer.status, answer.body.code, noticeIn(answer.headers)]).toEqual([
      410,
      "container_tiers_sunset",
      [true, true, true],
    ]);
    const findings = answer.body.errors.map(({ path: at, code }: { path: string; code: string }) => [at, code]);
    expect(findings).toContainEqual(["containerTierId", "container_tiers_sunset"]);
    const { projects } = (await api.call("GET", "/api/projects")).body;
    expect(projects).toMatchObject([{ name: "Made", flavorId: "go", containerTierId: null }]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeAll(() => {
  api = createTestApp();
});
afterAll(async () => await api.close());

const without = (headers: Headers, ...names: string[]) => {
  const rest = new Headers(headers);
  for (const name of names) rest.delete(name);
  return rest.toJSON();
};

describe("a request id", () => {
  test.each(["/api/flavors", "/api/flavors/js", "/api/flavors/nope", "/nope", "/docs", "/openapi.json", "/health"])(
    "is on the answer of %s, new each time",
    async (path) => {
      const ids = await Promise.all([1, 2].map(async () => (await api.app.request(path)).headers.get("x-request-id")));
      expect(ids[0]).toMatch(/^[\w-]+$/);
      expect(ids[0]).not.toBe(ids[1] ?? null);
    },
  );

  test("that came with the request is kept, also in a problem", async () => {
    for (const path of ["/api/flavors", "/api/flavors/nope"]) {
      const { headers, body } = await api.call("GET", path, undefined, { "x-request-id": "trace/1:a.b=c" });
      expect(headers.get("x-request-id")).toBe("trace/1:a.b=c");
      if (body["code"] !== undefined) expect(body["requestId"]).toBe("trace/1:a.b=c");
    }
  });

  test.each(["a b", "x".repeat(129), "<script>", '"', "a,b"])(
    "that would harm a log (%.12j) is replaced",
    async (id) => {
      const { headers } = await api.call("GET", "/api/flavors", undefined, { "x-request-id": id });
      expect(headers.get("x-request-id")).not.toBe(id);
    },
  );
});

describe("a shortcut answers just as the router", () => {
  test.each(["/api/resource-tiers", "/api/flavors", "/api/addons"])("for %s", async (path) => {
    const short = await api.app.request(path);
    // An Origin or a query leads through the router.
    const routed = await api.app.request(`${path}?`);
    expect(await short.text()).toBe(await routed.text());
    expect(short.status).toBe(routed.status);
    expect(without(short.headers, "x-request-id")).toEqual(without(routed.headers, "x-request-id"));

    const etag = short.headers.get("etag") ?? "";
    const known = await api.app.request(path, { headers: { "if-none-match": etag } });
    const routedKnown = await api.app.request(`${path}?`, { headers: { "if-none-match": etag } });
    expect([known.status, routedKnown.status]).toEqual([304, 304]);
    expect(without(known.headers, "x-request-id")).toEqual(without(routedKnown.headers, "x-request-id"));
  });

  test.each([
    '{"flavorId":"js","addonIds":["code-server"]}',
    "{}",
    '{"slug":"demo"}',
    '{"flavorId":"nope"}',
    '{"nope":1}',
    "[]",
    "{",
    "",
    '{"flavorId":"\\ud800"}',
    `{"flavorId":"${"x".repeat(2000)}"}`,
  ])("for a resolution of %.40s, the first and the second time", async (body) => {
    const ask = async (path: string) => {
      const response = await api.app.request(path, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      const text = (await response.text()).replace(/"requestId":"[^"]*"/, "");
      return { status: response.status, text, headers: without(response.headers, "x-request-id") };
    };
    const routed = await ask("/api/images/resolve?");
    expect(await ask("/api/images/resolve")).toEqual(routed);
    expect(await ask("/api/images/resolve")).toEqual(routed);
  });

  test("and shows a change of the catalog at once", async () => {
    const resolve = async () => (await api.call("POST", "/api/images/resolve", { flavorId: "go" })).body["flavor"].name;
    const listed = async () => (await api.call("GET", "/api/flavors")).body["flavors"][2].name;
    expect([await resolve(), await resolve(), await listed()]).toEqual(["Go", "Go", "Go"]);
    const { headers } = await api.call("GET", "/api/flavors");
    await api.call("PATCH", "/api/flavors/go", { name: "Golang" });
    expect([await resolve(), await listed()]).toEqual(["Golang", "Golang"]);
    const again = await api.call("GET", "/api/flavors", undefined, { "if-none-match": headers.get("etag") ?? "" });
    expect(again.status).toBe(200);
  });
});

describe("a project's shortcut", () => {
  test("shows every change at once, the first and the second time", async () => {
    const { body: made } = await api.call(
      "POST",
      "/api/projects",
      { name: "Short", addonIds: [] },
      { prefer: "wait=5" },
    );
    const path = `/api/projects/${made.project.id}`;
    const short = async () => (await api.call("GET", path)).body;
    const routed = async () => (await api.call("GET", `${path}?`)).body;
    expect(await short()).toEqual(await routed());
    expect(await short()).toEqual(await routed());
    await api.call("PATCH", path, { name: "Renamed" });
    expect((await short()).project.name).toBe("Renamed");
    expect(await short()).toEqual(await routed());
    await api.call("POST", `${path}/stop`, undefined, { prefer: "wait=5" });
    expect((await short()).project.status).toBe("stopped");
    await api.call("DELETE", path, undefined, { prefer: "wait=5" });
    const gone = await api.call("GET", path);
    expect([gone.status, gone.body.code]).toEqual([404, "project_not_found"]);
  });

  test("leaves what is below a project to the router", async () => {
    const { body: made } = await api.call("POST", "/api/projects", { name: "Below" }, { prefer: "wait=5" });
    const path = `/api/projects/${made.project.id}/status`;
    expect((await api.call("GET", path)).body.runtime.state).toBe("running");
    await api.call("POST", `/api/projects/${made.project.id}/stop`, undefined, { prefer: "wait=5" });
    expect((await api.call("GET", path)).body.runtime.state).toBe("exited");
    expect((await api.call("GET", "/api/projects/")).status).toBe(404);
  });
});

describe("a path", () => {
  test("that is known refuses another method and says which it takes", async () => {
    for (const [method, path, allow] of [
      ["DELETE", "/api/flavors", "GET, POST, HEAD, OPTIONS"],
      ["POST", "/api/flavors/js", "GET, PATCH, DELETE, HEAD, OPTIONS"],
      ["GET", "/api/images/validate", "POST, OPTIONS"],
      ["PUT", "/health", "GET, HEAD, OPTIONS"],
    ] as const) {
      const { status, headers, body } = await api.call(method, path);
      expect(status).toBe(405);
      expect(headers.get("allow")).toBe(allow);
      expect(body).toMatchObject({ code: "method_not_allowed" });
    }
  });

  test("tells its methods to OPTIONS", async () => {
    const { status, headers } = await api.call("OPTIONS", "/api/flavors");
    expect([status, headers.get("allow")]).toEqual([204, "GET, POST, HEAD, OPTIONS"]);
    expect((await api.call("OPTIONS", "/nope")).status).toBe(404);
  });

  test.each([
    "/nope",
    "/api",
    "/api/",
    "/api/flavors/",
    "/api/flavors/a/b",
    "//api/flavors",
    "/API/flavors",
    "/api/%66lavors%2f",
  ])("%s that is unknown is a 404", async (path) => {
    const { status, body } = await api.call("GET", path);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "not_found", error: "Not found" });
  });

  test("answers HEAD with the headers of GET", async () => {
    const response = await api.app.request("/api/flavors", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe((await api.app.request("/api/flavors")).headers.get("etag"));
    expect(await response.text()).toBe("");
  });
});

describe("a failure nobody thought of", () => {
  test.each([
    ["a route", "/api/projects"],
    ["a shortcut", "/api/projects/0190"],
  ])("in %s is told as internal with the request id alone, and logged with its cause", async (_where, path) => {
    const broken = createTestApp();
    await broken.close();
    const { status, headers, body } = await broken.call("GET", path);
    expect([status, headers.get("content-type")]).toEqual([500, "application/problem+json"]);
    expect(headers.get("x-request-id")).toBe(body.requestId);
    expect(Object.keys(body ?? {}).toSorted()).toEqual([
      "code",
      "detail",
      "error",
      "requestId",
      "status",
      "title",
      "type",
    ]);
    expect(body["code"]).toBe("internal");
    const line = broken.logged.find(({ msg }) => msg === "request failed unexpectedly");
    const { message } = (line?.["err"] ?? { message: "" }) as { message: string };
    expect(line?.["requestId"]).toBe(body["requestId"]);
    expect(message).not.toBe("");
    expect(JSON.stringify(body)).not.toContain(message);
  });
});

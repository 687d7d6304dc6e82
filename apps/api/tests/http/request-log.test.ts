import { afterEach, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
afterEach(async () => await api.close());

const requests = () => api.logged.filter(({ msg }) => msg === "request");

describe("the log", () => {
  test("has a line for each change, with its route and its outcome", async () => {
    api = createTestApp();
    const made = await api.call("POST", "/api/projects", { name: "Logged" }, { prefer: "wait=5" });
    await api.call("PATCH", `/api/projects/${made.body.project.id}`, { nope: 1 }, { "x-request-id": "trace-1" });
    const [create, update] = requests();
    expect(create).toEqual({
      level: "info",
      time: expect.any(String),
      requestId: made.headers.get("x-request-id"),
      method: "POST",
      route: "/api/projects",
      status: 201,
      ms: expect.any(Number),
      caller: "local",
      msg: "request",
    });
    expect(update).toMatchObject({ level: "info", requestId: "trace-1", route: "/api/projects/{id}", status: 422 });
  });

  test("has no line for what only reads, unless it is set to debug", async () => {
    const reads = async () => {
      await api.call("GET", "/api/flavors");
      await api.call("GET", "/api/flavors/nope");
      await api.call("GET", "/nope");
      await api.call("POST", "/api/images/resolve", {});
      await api.call("POST", "/api/images/validate", { nope: 1 });
    };
    api = createTestApp();
    await reads();
    expect(api.logged).toEqual([]);
    await api.close();
    api = createTestApp({ logLevel: "debug" });
    await reads();
    expect(requests().map(({ level, route, status }) => [level, route, status])).toEqual([
      ["debug", "/api/flavors", 200],
      ["debug", "/api/flavors/{id}", 404],
      ["debug", "unmatched", 404],
      ["debug", "/api/images/resolve", 200],
      ["debug", "/api/images/validate", 422],
    ]);
  });

  test("warns of who is refused, with what they may be called", async () => {
    api = createTestApp({ auth: { token: "correct-horse-battery-staple" } });
    await api.call("GET", "/api/flavors");
    await api.call("POST", "/api/projects", { name: "A" }, { authorization: "Bearer wrong" });
    await api.close();
    const warned = requests().map(({ level, route, status, caller }) => [level, route, status, caller]);
    expect(warned).toEqual([
      ["warn", "/api/flavors", 401, "anonymous"],
      ["warn", "/api/projects", 401, "anonymous"],
    ]);
    api = createTestApp();
    await api.call("GET", "/api/flavors", undefined, { host: "evil.example" });
    expect(requests()).toMatchObject([{ level: "warn", route: "unmatched", status: 403, caller: "anonymous" }]);
  });

  test("has what failed as an error, once as a request and once with its cause", async () => {
    api = createTestApp();
    const broken = createTestApp();
    await broken.close();
    const { headers } = await broken.call("GET", "/api/projects");
    const requestId = headers.get("x-request-id");
    expect(broken.logged.map(({ level, msg, requestId: id }) => [level, msg, id])).toEqual([
      ["error", "request failed unexpectedly", requestId],
      ["error", "request", requestId],
    ]);
  });
});

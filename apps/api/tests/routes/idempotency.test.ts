import { afterEach, describe, expect, test } from "bun:test";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../support/app.ts";

const wait = { prefer: "wait=5" };
const day = 24 * 3_600_000;

let api: TestApp;
afterEach(async () => await api.close());

const start = (options: TestAppOptions = {}) => (api = createTestApp(options));
const keyed = (key: string, more: Record<string, string> = {}) => ({ "idempotency-key": key, ...more });
const create = (key: string, body: object = { name: "Once" }, more: Record<string, string> = {}) =>
  api.call("POST", "/api/projects", body, keyed(key, more));
const projectCount = async () => (await api.call("GET", "/api/projects?limit=200")).body.projects.length;
const operations = () => api.db.query("SELECT kind FROM operations ORDER BY id").values().flat();
const keysKept = () => api.db.query("SELECT key FROM idempotency_keys ORDER BY key").values().flat();
const replayedIn = ({ headers }: { headers: Headers }) => headers.get("idempotency-replayed");

/** A running project, made without a key. */
async function newProject(): Promise<string> {
  const { body } = await api.call("POST", "/api/projects", { name: "There" }, wait);
  expect(body.project.status).toBe("running");
  return `/api/projects/${body.project.id}`;
}

describe("a repeated create", () => {
  test("is answered as the first time, Location included, and makes nothing", async () => {
    start();
    const first = await create('"k1"', { name: "Once", flavorId: "js" });
    expect([first.status, replayedIn(first)]).toEqual([201, null]);
    for (const [key, body] of [
      ['"k1"', { name: "Once", flavorId: "js" }],
      ["k1", { flavorId: "js", name: "Once" }],
    ] as const) {
      const again = await create(key, body);
      expect([again.status, again.body, replayedIn(again)]).toEqual([201, first.body, "true"]);
      expect(again.headers.get("location")).toBe(`/api/projects/${first.body.project.id}`);
    }
    expect([await projectCount(), operations()]).toEqual([1, ["create"]]);
  });

  test("with Prefer: wait tells how things stand now", async () => {
    start();
    const first = await create("k1");
    expect([first.body.project.status, first.body.operation.status]).toEqual(["creating", "pending"]);
    const again = await create("k1", { name: "Once" }, wait);
    expect(again.body).toMatchObject({
      project: { id: first.body.project.id, status: "running" },
      operation: { id: first.body.operation.id, status: "succeeded" },
    });
    expect([replayedIn(again), again.headers.get("preference-applied")]).toEqual(["true", "wait=5"]);
  });

  test("is one of many at once: all get the same project", async () => {
    start();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => create(`k${index % 4}`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    for (const one of [0, 1, 2, 3]) {
      const same = answers.filter((_, index) => index % 4 === one);
      expect(new Set(same.map(({ body }) => body.project.id)).size).toBe(1);
      expect(same.filter((answer) => replayedIn(answer) === null)).toHaveLength(1);
    }
    expect([await projectCount(), operations()]).toEqual([4, ["create", "create", "create", "create"]]);
  });

  test("is answered also when the same could not be asked for any more", async () => {
    let now = new Date("2027-01-30T23:00:00Z");
    start({ sunsetAt: new Date("2027-01-31T00:00:00Z"), now: () => now });
    const old = { name: "Old", containerTierId: "lite" };
    const first = await create("k1", old);
    now = new Date("2027-01-31T01:00:00Z");
    expect((await create("k2", old)).status).toBe(410);
    const again = await create("k1", old);
    expect([again.status, again.body, replayedIn(again)]).toEqual([201, first.body, "true"]);
  });

  test("that failed later is still the same project, which a deploy brings up", async () => {
    start();
    const { steps } = api.runtime;
    const works = steps.deploy;
    const fails = async () => await Promise.reject(new RuntimeError("image_unavailable", "There is no such image."));
    steps.deploy = [{ name: "run", run: fails }];
    const first = await create("k1", { name: "Once" }, wait);
    expect([first.status, first.body.project.status]).toEqual([201, "error"]);
    steps.deploy = works;
    const again = await create("k1", { name: "Once" }, wait);
    expect([again.status, again.body.project]).toEqual([201, first.body.project]);
    const path = `/api/projects/${first.body.project.id}`;
    expect((await api.call("POST", `${path}/deploy`, undefined, wait)).body.project.status).toBe("running");
    expect(await projectCount()).toBe(1);
  });
});

describe("a key that came with another request", () => {
  test("is refused with 422 for another body, path or method, and nothing is done", async () => {
    start();
    const path = await newProject();
    const other = await newProject();
    expect((await api.call("POST", `${path}/restart`, undefined, keyed("k1", wait))).status).toBe(202);
    const before = operations();
    for (const [method, at, body] of [
      ["POST", "/api/projects", { name: "Another" }],
      ["POST", `${path}/stop`, undefined],
      ["POST", `${other}/restart`, undefined],
      ["PATCH", path, { name: "Renamed" }],
      ["DELETE", path, undefined],
    ] as const) {
      const { status, body: problem } = await api.call(method, at, body, keyed("k1"));
      expect([method, status, problem.code]).toEqual([method, 422, "idempotency_key_reused"]);
      expect(problem.type).toBe("/docs/errors#idempotency_key_reused");
    }
    expect([operations(), await projectCount()]).toEqual([before, 2]);
    expect((await api.call("GET", path)).body.project.name).toBe("There");
  });

  test("also when both come at once", async () => {
    start();
    const answers = await Promise.all([create("k1", { name: "One" }), create("k1", { name: "Two" })]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 422]));
    expect(await projectCount()).toBe(1);
  });
});

describe("a malformed key", () => {
  test.each(["", "two words", '"open', "k".repeat(256), "a, b"])("%j is 400 on every route", async (key) => {
    start();
    const path = await newProject();
    const before = operations();
    for (const [method, at, body] of [
      ["POST", "/api/projects", { name: "Another" }],
      ["PATCH", path, { name: "Renamed" }],
      ["DELETE", path, undefined],
      ...["deploy", "start", "stop", "restart"].map((verb) => ["POST", `${path}/${verb}`, undefined] as const),
    ] as const) {
      const { status, body: problem } = await api.call(method, at, body, keyed(key));
      expect([method, status, problem.code]).toEqual([method, 400, "invalid_request"]);
      expect(problem.errors).toMatchObject([{ path: "idempotency-key", code: "invalid_format" }]);
      expect(problem.errors[0].fix).toContain("Idempotency-Key: ");
    }
    expect([operations(), await projectCount(), keysKept()]).toEqual([before, 1, []]);
  });
});

describe("a key lasts", () => {
  test("24 hours, then it is a new one", async () => {
    let now = new Date("2026-06-01T12:00:00Z");
    start({ now: () => now });
    const first = await create("k1");
    now = new Date(now.getTime() + day - 1);
    expect((await create("k1")).body).toEqual(first.body);
    now = new Date(now.getTime() + 1);
    const renewed = await create("k1", { name: "Another" });
    expect([renewed.status, replayedIn(renewed)]).toEqual([201, null]);
    expect(renewed.body.project.id).not.toBe(first.body.project.id);
    expect((await create("k1", { name: "Another" })).body).toEqual(renewed.body);
    now = new Date(now.getTime() + day);
    await create("k2");
    expect(keysKept()).toEqual(["k2"]);
  });

  test("no longer than its project: after the delete the same request makes another", async () => {
    start();
    const first = await create("k1", { name: "Once" }, wait);
    const path = `/api/projects/${first.body.project.id}`;
    await api.call("POST", `${path}/restart`, undefined, keyed("k2", wait));
    const removal = await api.call("DELETE", path, undefined, keyed("k3"));
    expect(removal.status).toBe(202);
    expect((await api.call("DELETE", path, undefined, keyed("k3", wait))).status).toBe(204);

    const second = await create("k1", { name: "Once" }, wait);
    expect([second.status, replayedIn(second), second.body.project.status]).toEqual([201, null, "running"]);
    expect(second.body.project.id).not.toBe(first.body.project.id);
    expect((await api.call("POST", `${path}/restart`, undefined, keyed("k2"))).status).toBe(404);
  });

  test("for a delete also after it: its repeat is told of success, not of a project that is unknown", async () => {
    start();
    const path = await newProject();
    const first = await api.call("DELETE", path, undefined, keyed("k1", wait));
    expect(first.status).toBe(204);
    const waited = await api.call("DELETE", path, undefined, keyed("k1", wait));
    expect([waited.status, waited.body, replayedIn(waited)]).toEqual([204, undefined, "true"]);
    const plain = await api.call("DELETE", path, undefined, keyed("k1"));
    expect([plain.status, plain.body.operation.kind]).toEqual([202, "delete"]);
    expect((await api.call("DELETE", path, undefined, keyed("k2"))).status).toBe(404);
    expect((await create("k1")).body.code).toBe("idempotency_key_reused");
  });
});

describe("a request that was refused", () => {
  test("does not hold its key, whatever it was refused for", async () => {
    start();
    for (const [status, body] of [
      [422, { name: "" }],
      [422, { name: "Odd", flavorId: "pyton" }],
      [400, []],
    ] as const)
      expect((await create("k1", body)).status).toBe(status);
    expect((await api.call("POST", "/api/projects/none/stop", undefined, keyed("k1"))).status).toBe(404);
    expect((await api.call("PATCH", "/api/projects/none", { name: "A" }, keyed("k1"))).status).toBe(404);
    expect((await api.call("DELETE", "/api/projects/none", undefined, keyed("k1"))).status).toBe(404);
    expect(keysKept()).toEqual([]);
    expect((await create("k1")).status).toBe(201);
  });

  test("because another operation was at work is done when it comes again", async () => {
    start();
    const path = await newProject();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { steps } = api.runtime;
    const [run] = steps.deploy;
    if (run === undefined) throw new Error("the runtime deploys nothing");
    steps.deploy = [{ name: "held", run: async () => await promise }, run];
    const deploy = await api.call("POST", `${path}/deploy`, undefined, keyed("k1"));
    const refused = await api.call("POST", `${path}/stop`, undefined, keyed("k2"));
    expect([refused.status, refused.body.operationId]).toEqual([409, deploy.body.operation.id]);
    // The one at work does not refuse its own repeat.
    const again = await api.call("POST", `${path}/deploy`, undefined, keyed("k1"));
    expect([again.status, again.body]).toEqual([202, deploy.body]);
    resolve();
    await api.call("POST", `${path}/deploy`, undefined, keyed("k1", wait));
    const stopped = await api.call("POST", `${path}/stop`, undefined, keyed("k2", wait));
    expect([stopped.status, replayedIn(stopped), stopped.body.project.status]).toEqual([202, null, "stopped"]);
  });
});

describe("a repeated change", () => {
  test.each(["deploy", "start", "stop", "restart"])("by %s is one operation", async (verb) => {
    start();
    const path = await newProject();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.call("POST", `${path}/${verb}`, undefined, keyed("k1"))),
    );
    const late = await api.call("POST", `${path}/${verb}`, undefined, keyed("k1"));
    for (const { status, body } of [...answers, late]) expect([status, body]).toEqual([202, answers[0]?.body]);
    expect([...answers, late].map(replayedIn).filter((value) => value === null)).toHaveLength(1);
    expect(operations()).toEqual(["create", verb]);
  });

  test("by PATCH is done once, and does not undo what came between", async () => {
    start();
    const path = await newProject();
    const body = { name: "First", flavorId: "js" };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.call("PATCH", path, body, keyed("k1", wait))),
    );
    for (const { status, body: answer } of answers)
      expect([status, answer.operation.status, answer.project.flavorId]).toEqual([200, "succeeded", "js"]);
    await api.call("PATCH", path, { name: "Second" }, keyed("k2"));
    const again = await api.call("PATCH", path, body, keyed("k1"));
    expect([again.status, again.body.project.name, replayedIn(again)]).toEqual([200, "First", "true"]);
    const renamed = await api.call("PATCH", path, { name: "Second" }, keyed("k2"));
    expect([renamed.status, renamed.body.operation, replayedIn(renamed)]).toEqual([200, null, "true"]);
    expect((await api.call("GET", path)).body.project).toMatchObject({ name: "Second", flavorId: "js" });
    expect(operations()).toEqual(["create", "update"]);
  });
});

describe("what is kept with a key", () => {
  test("is the answer alone, which names no secret", async () => {
    start();
    await create("k1", { name: "Once" }, wait);
    const sealed = api.db.query("SELECT gateway_token FROM projects").values().flat();
    const [row] = api.db.query("SELECT status, answer FROM idempotency_keys").values();
    expect([row?.[0], Object.keys(JSON.parse(String(row?.[1])))]).toEqual([201, ["project", "operation", "warnings"]]);
    expect(sealed).toEqual([expect.any(String)]);
    expect(JSON.stringify(row)).not.toContain(String(sealed[0]));
    expect(JSON.stringify(row).toLowerCase()).not.toContain("token");
  });
});

describe("a browser of an allowed origin", () => {
  test("may send a key and read that an answer was repeated", async () => {
    const origin = "https://pods.example.com";
    start({ auth: { allowedOrigins: [origin] } });
    const preflight = await api.call("OPTIONS", "/api/projects", undefined, {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "idempotency-key",
    });
    expect(preflight.headers.get("access-control-allow-headers")?.split(", ")).toContain("idempotency-key");
    const answer = await create("k1", { name: "Once" }, { origin });
    expect(answer.headers.get("access-control-expose-headers")?.split(", ")).toContain("idempotency-replayed");
  });
});

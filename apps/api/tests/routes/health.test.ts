import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createReadiness } from "../../src/services/readiness.ts";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeEach(() => {
  api = createTestApp();
});
afterEach(async () => await api.close());

describe("/health", () => {
  test("says that the API lives, and which version", async () => {
    const { status, body } = await api.call("GET", "/health");
    expect(status).toBe(200);
    expect(body).toEqual({ status: "ok", version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });
});

describe("/ready", () => {
  test("says that all it stands on answers", async () => {
    const { status, body } = await api.call("GET", "/ready");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "ready",
      checks: {
        database: { ok: true, code: "ok" },
        runtime: { ok: true, code: "ok", name: "docker", version: "stand-in" },
        registry: { ok: true, code: "not_used" },
      },
    });
  });

  test("tells a registry that does not answer, and stays ready: what runs does without it", async () => {
    const ask = (registryAnswers: () => Promise<boolean>) =>
      createReadiness({ db: api.db, runtime: api.runtime, registryAnswers, timeoutMs: 20 })();
    const down = { ready: true, checks: { registry: { ok: false, code: "registry_unavailable" } } };
    expect(await ask(async () => true)).toMatchObject({ ready: true, checks: { registry: { ok: true, code: "ok" } } });
    expect(await ask(async () => false)).toMatchObject(down);
    expect(await ask(() => new Promise(() => {}))).toMatchObject(down);
  });

  test("answers for the registry over HTTP, and does not blame it for what else is wrong", async () => {
    await api.close();
    api = createTestApp({ registryAnswers: async () => false });
    expect(await api.call("GET", "/ready")).toMatchObject({
      status: 200,
      body: { status: "ready", checks: { registry: { ok: false, code: "registry_unavailable" } } },
    });
    api.runtime.reachable = false;
    expect(await api.call("GET", "/ready")).toMatchObject({
      status: 503,
      body: { detail: "Not ready: runtime_unavailable", checks: { registry: { code: "registry_unavailable" } } },
    });
  });

  test("is a problem with a code for each check while the runtime is out of reach", async () => {
    api.runtime.reachable = false;
    const { status, headers, body } = await api.call("GET", "/ready");
    expect(status).toBe(503);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({
      code: "not_ready",
      detail: "Not ready: runtime_unavailable",
      checks: { database: { ok: true }, runtime: { ok: false, code: "runtime_unavailable" } },
    });
    api.runtime.reachable = true;
    expect((await api.call("GET", "/ready")).status).toBe(200);
  });

  test("tells a database that cannot be read", async () => {
    closeDatabase(api.db);
    const { status, body } = await api.call("GET", "/ready");
    expect(status).toBe(503);
    expect(body["checks"]).toMatchObject({
      database: { ok: false, code: "database_unavailable" },
      runtime: { ok: true },
    });
  });

  test("does not wait for a runtime that is silent, and asks it once for callers at the same time", async () => {
    let asked = 0;
    const probe = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const readiness = createReadiness({ db: api.db, runtime: { name: "docker", probe }, timeoutMs: 20 });
    const answers = await Promise.all([readiness(), readiness()]);
    expect(answers.map(({ ready }) => ready)).toEqual([false, false]);
    expect(asked).toBe(1);
  });
});

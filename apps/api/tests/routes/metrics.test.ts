import { afterEach, describe, expect, test } from "bun:test";
import { boundText, expose, type Family } from "../../src/services/metrics/exposition.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../support/app.ts";
import { type ParsedSample, parseExposition } from "../support/parse-exposition.ts";
import { until } from "../support/wait.ts";

let api: TestApp;
afterEach(async () => await api.close());

const openMetrics = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

async function scrape(accept?: string) {
  const response = await api.app.request("/metrics", accept === undefined ? {} : { headers: { accept } });
  expect(response.status).toBe(200);
  const type = response.headers.get("content-type") ?? "";
  const format = type.startsWith("application/openmetrics-text") ? "openmetrics" : "prometheus";
  const text = await response.text();
  return { type, text, families: parseExposition(text, format) };
}

async function samples(family: string, labels: Record<string, string> = {}): Promise<ParsedSample[]> {
  const { families } = await scrape();
  const all = families.get(family)?.samples ?? [];
  return all.filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value));
}

const valueOf = async (family: string, labels: Record<string, string> = {}): Promise<number | undefined> =>
  (await samples(family, labels))[0]?.value;

const start = (options: TestAppOptions = {}) => {
  api = createTestApp(options);
};

describe("/metrics", () => {
  test("answers in the text format of Prometheus, or as OpenMetrics when asked, one after the other", async () => {
    start();
    await api.call("POST", "/api/projects", { name: "Counted" }, { prefer: "wait=5" });
    for (let round = 0; round < 2; round += 1) {
      const plain = await scrape();
      expect(plain.type).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(plain.families.get("agentpod_http_requests_total")?.type).toBe("counter");
      const open = await scrape(openMetrics);
      expect(open.type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
      expect(open.families.get("agentpod_http_requests")?.type).toBe("counter");
      expect(open.families.size).toBe(plain.families.size);
    }
  });

  test("asks for the token where there is one", async () => {
    const token = "correct-horse-battery-staple";
    start({ auth: { token } });
    expect((await api.app.request("/metrics")).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await api.app.request("/metrics", { headers })).status).toBe(200);
  });

  test("counts requests by the route's pattern, never by what was asked for", async () => {
    start();
    const made = await api.call("POST", "/api/projects", { name: "Seen" }, { prefer: "wait=5" });
    for (const path of [
      "/api/flavors",
      "/api/flavors?",
      `/api/projects/${made.body.project.id}`,
      `/api/projects/${made.body.project.id}`,
      "/api/projects/marked-id",
      "/api/projects/marked-id/logs",
      "/api/flavors/marked-id",
      "/marked-path",
      "/docs",
    ]) {
      await api.app.request(path);
    }
    await api.app.request("/api/flavors", { method: "PROPFIND" });
    await api.app.request("/api/flavors", { method: "HEAD" });
    await api.app.request("/api/flavors", { headers: { host: "evil.example" } });
    await api.call("POST", "/api/images/resolve", { flavorId: "js" });
    const counted = (await samples("agentpod_http_requests_total")).map(({ labels, value }) => [
      `${labels["method"]} ${labels["route"]} ${labels["status"]}`,
      value,
    ]);
    expect(Object.fromEntries(counted)).toEqual({
      "POST /api/projects 2xx": 1,
      "GET /api/flavors 2xx": 2,
      "HEAD /api/flavors 2xx": 1,
      "GET /api/projects/{id} 2xx": 2,
      "GET /api/projects/{id} 4xx": 1,
      "GET /api/projects/{id}/logs 4xx": 1,
      "GET /api/flavors/{id} 4xx": 1,
      "GET unmatched 4xx": 2,
      "other unmatched 4xx": 1,
      "GET /docs 2xx": 1,
      "POST /api/images/resolve 2xx": 1,
    });
    expect((await scrape()).text).not.toMatch(/marked|PROPFIND|evil/);
  });

  test("times what goes through the router, and each 16th of the short answers", async () => {
    start();
    for (let count = 0; count < 64; count += 1) await api.app.request("/api/flavors");
    for (let count = 0; count < 5; count += 1) await api.app.request("/api/flavors/js");
    const timed = async (route: string) =>
      (await samples("agentpod_http_request_duration_seconds", { route })).find(({ name }) => name.endsWith("_count"))
        ?.value;
    expect([await timed("/api/flavors"), await timed("/api/flavors/{id}")]).toEqual([4, 5]);
    expect(await valueOf("agentpod_http_requests_total", { route: "/api/flavors" })).toBe(64);
  });

  test("tells how many projects have each status, and what waits", async () => {
    start();
    const made = await api.call("POST", "/api/projects", { name: "One" }, { prefer: "wait=5" });
    expect(await valueOf("agentpod_projects", { status: "running" })).toBe(1);
    await api.call("POST", `/api/projects/${made.body.project.id}/stop`, undefined, { prefer: "wait=5" });
    expect(await valueOf("agentpod_projects", { status: "running" })).toBe(0);
    expect(await valueOf("agentpod_projects", { status: "stopped" })).toBe(1);
    const states = ["active", "queued"].map((state) => valueOf("agentpod_operations_in_progress", { state }));
    expect(await Promise.all(states)).toEqual([0, 0]);
  });

  test("tells how many clients read a stream, also after they went", async () => {
    start();
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: api.app.fetch });
    const readers = () => valueOf("agentpod_sse_clients", { stream: "events" });
    const gone = new AbortController();
    try {
      const open = [1, 2, 3].map(() => fetch(`${server.url.origin}/api/events`, { signal: gone.signal }));
      await Promise.all(open);
      await until("three read", async () => ((await readers()) === 3 ? true : undefined), 5_000);
      gone.abort();
      await until("none reads", async () => ((await readers()) === 0 ? true : undefined), 5_000);
    } finally {
      await server.stop(true);
    }
  });

  test("tells what the process and the database take", async () => {
    start();
    const { families } = await scrape();
    const value = (name: string) => families.get(name)?.samples[0]?.value ?? 0;
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(value("process_start_time_seconds")).toBeLessThan(Date.now() / 1000);
    expect(value("agentpod_heap_used_bytes")).toBeGreaterThan(1_000_000);
    expect(value("agentpod_database_up")).toBe(1);
    expect(value("agentpod_database_pages")).toBeGreaterThan(10);
    expect(value("agentpod_database_schema_version")).toBeGreaterThanOrEqual(5);
    expect(families.get("agentpod_build_info")?.samples[0]?.labels).toEqual({
      version: "1.2.3",
      runtime: "docker",
      bun: Bun.version,
    });
  });

  test("answers without the database, and says that it is gone", async () => {
    start();
    const { metrics } = api;
    await api.close();
    const families = parseExposition(metrics.render(null).text, "prometheus");
    expect(families.get("agentpod_database_up")?.samples[0]?.value).toBe(0);
    expect(families.has("agentpod_projects")).toBe(false);
    expect(families.has("agentpod_build_info")).toBe(true);
    start();
  });

  test("counts what operations, their steps and the runtime did", async () => {
    start();
    const { operations } = api.metrics;
    const operation = { operationId: "o", projectId: "p", kind: "create" as const };
    operations.operationStarted({ ...operation, attempt: 1 });
    operations.stepFinished({ ...operation, step: "image", outcome: "ok", ms: 1_200 });
    operations.stepFinished({ ...operation, step: "image", outcome: "unavailable", ms: 10 });
    operations.operationFinished({ ...operation, outcome: "failed", code: "unavailable", ms: 1_300 });
    operations.runtimeCall({ runtime: "docker", call: "inspect", outcome: "ok", ms: 3 });
    const count = async (family: string, labels: Record<string, string>) =>
      (await samples(family, labels)).find(({ name }) => name.endsWith("_count"))?.value;
    for (const outcome of ["ok", "unavailable"]) {
      const labels = { kind: "create", step: "image", outcome };
      expect(await count("agentpod_operation_step_duration_seconds", labels)).toBe(1);
    }
    expect(await count("agentpod_operation_duration_seconds", { kind: "create", outcome: "failed" })).toBe(1);
    const call = { runtime: "docker", call: "inspect", outcome: "ok" };
    expect(await count("agentpod_runtime_call_duration_seconds", call)).toBe(1);
    expect(api.logged.map(({ msg, level }) => [msg, level])).toEqual([
      ["operation started", "info"],
      ["operation ended", "warn"],
    ]);
  });
});

describe("a sample", () => {
  test("keeps its label whatever it holds", () => {
    start();
    const odd = 'a"b\\c\nd{e}=,f é';
    const family: Family = {
      name: "odd",
      help: 'x "y" \\ z\n',
      type: "gauge",
      samples: [{ labels: { odd }, value: 1 }],
    };
    for (const format of ["prometheus", "openmetrics"] as const) {
      const parsed = parseExposition(expose([family], format), format);
      expect(parsed.get("odd")?.samples).toEqual([{ name: "odd", labels: { odd }, value: 1 }]);
    }
  });

  test("has numbers in the form that both formats take", () => {
    start();
    const values = [0, 1.5, 1e-7, 1e21, Infinity, -Infinity];
    const family: Family = {
      name: "numbers",
      help: "x",
      type: "gauge",
      samples: values.map((value, n) => ({ labels: { n: String(n) }, value })),
    };
    const parsed = parseExposition(expose([family], "openmetrics"), "openmetrics");
    expect(parsed.get("numbers")?.samples.map(({ value }) => value)).toEqual(values);
    expect([boundText(1), boundText(0.25), boundText(100)]).toEqual(["1.0", "0.25", "100.0"]);
  });
});

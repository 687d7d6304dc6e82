import { afterEach, describe, expect, test } from "bun:test";
import { call, newDataDir, removeDataDir, startApi, type ApiProcess } from "../support/api-process.ts";
import { describeWithEngine } from "../support/engine.ts";
import { dockerLeftovers, processLeftovers } from "../support/leftovers.ts";
import { until } from "../support/wait.ts";

const halting = "apps/api/tests/support/halting-api.ts";
const started: { api: ApiProcess; dataDir: string }[] = [];

async function start(dataDir: string, env: Record<string, string>, entry?: string): Promise<ApiProcess> {
  const api = await startApi({ dataDir, env, ...(entry ? { entry } : {}) });
  started.push({ api, dataDir });
  return api;
}

afterEach(async () => {
  for (const { api } of started) await api.end("SIGKILL");
  for (const { dataDir } of started.splice(0)) removeDataDir(dataDir);
});

const running = (api: ApiProcess, id: string) =>
  until(`project ${id} runs`, async () => {
    const { body } = await call(api.url, "GET", `/api/projects/${id}`);
    if (body.project.status === "error") throw new Error(JSON.stringify(body["project"].statusReason));
    return body.project.status === "running" ? true : undefined;
  });

const gone = (api: ApiProcess, id: string) =>
  until(`project ${id} is gone`, async () =>
    (await call(api.url, "GET", `/api/projects/${id}`)).status === 404 ? true : undefined,
  );

/** Every step of a create and of a delete, as the API itself names them. */
async function stepsOf(env: Record<string, string>): Promise<string[]> {
  const api = await start(newDataDir(), env, halting);
  const { body } = await call(api.url, "POST", "/api/projects", { name: "steps", flavorId: "js", addonIds: [] });
  await running(api, body.project.id);
  await call(api.url, "DELETE", `/api/projects/${body.project.id}`);
  await gone(api, body.project.id);
  const steps = api.output().matchAll(/"at":"(\w+:\w+)"/g);
  return [...new Set(Array.from(steps, ([, at]) => at ?? ""))];
}

async function surviveKillAt(
  at: string,
  env: Record<string, string>,
  leftovers: (id: string, dataDir: string) => string[],
): Promise<void> {
  const dataDir = newDataDir();
  const first = await start(dataDir, { ...env, HALT_AT: at }, halting);
  const { body, status } = await call(first.url, "POST", "/api/projects", {
    name: `Killed at ${at}`,
    flavorId: "js",
    addonIds: [],
  });
  expect(status).toBe(201);
  const id: string = body.project.id;
  if (at.startsWith("delete:")) {
    await running(first, id);
    await call(first.url, "DELETE", `/api/projects/${id}`);
  }
  await until(`halted at ${at}`, () => (first.output().includes('"msg":"halted"') ? true : undefined));
  await first.end("SIGKILL");

  const second = await start(dataDir, env);
  if (at.startsWith("create:")) {
    await running(second, id);
    const { body: listed } = await call(second.url, "GET", "/api/projects");
    expect(listed.projects).toHaveLength(1);
    const { body: report } = await call(second.url, "GET", `/api/projects/${id}/status`);
    expect(report.gateway.healthy).toBe(true);
    await call(second.url, "DELETE", `/api/projects/${id}`);
  }
  await gone(second, id);
  expect(leftovers(id, dataDir)).toEqual([]);
  await second.end("SIGTERM");
}

describe("kill -9 with the process runtime", () => {
  const env = { RUNTIME: "process" };

  test("between every step of create and delete ends running or gone, with no orphan", async () => {
    const steps = await stepsOf(env);
    expect(steps).toContain("create:conclude");
    expect(steps).toContain("delete:conclude");
    for (const at of steps) await surviveKillAt(at, env, processLeftovers);
  }, 300_000);

  test("at any moment of a create leaves a project that the next start brings up", async () => {
    for (let delayMs = 0; delayMs < 400; delayMs += 40) {
      const dataDir = newDataDir();
      const first = await start(dataDir, env);
      const { body } = await call(first.url, "POST", "/api/projects", { name: "Any moment", flavorId: "js" });
      const id: string = body.project.id;
      await Bun.sleep(delayMs);
      await first.end("SIGKILL");
      const second = await start(dataDir, env);
      await running(second, id);
      await call(second.url, "DELETE", `/api/projects/${id}`);
      await gone(second, id);
      expect(processLeftovers(id, dataDir)).toEqual([]);
      await second.end("SIGTERM");
    }
  }, 300_000);
});

describeWithEngine("kill -9 with the Docker runtime", () => {
  const env = { RUNTIME: "docker" };

  test("between every step of create and delete ends running or gone, with no orphan", async () => {
    const steps = await stepsOf(env);
    expect(steps).toContain("create:conclude");
    expect(steps).toContain("delete:conclude");
    for (const at of steps) await surviveKillAt(at, env, (id) => dockerLeftovers(id));
  }, 600_000);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "bun:test";
import { type ApiProcess, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { systemTable } from "../support/process-world.ts";
import { runCli } from "../support/run-cli.ts";
import { runScript } from "../support/run-script.ts";
import { until } from "../support/wait.ts";

const value = "sk-ant-api03-Very_Secret-0123456789";
const dataDir = newDataDir();
const started: ApiProcess[] = [];
const said: string[] = [];

async function start(): Promise<ApiProcess> {
  const api = await startApi({ dataDir, env: { RUNTIME: "process", LOG_LEVEL: "debug" } });
  started.push(api);
  return api;
}

afterAll(async () => {
  for (const api of started) await api.end("SIGKILL");
  removeDataDir(dataDir);
});

/** A call whose whole answer is kept, to be looked through at the end. */
async function call(api: ApiProcess, method: string, path: string, body?: unknown) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { "content-type": "application/json", prefer: "wait=30" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  said.push(JSON.stringify([...response.headers]), text);
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

/** The first seconds of a stream of events. */
async function listen(api: ApiProcess, path: string): Promise<void> {
  const response = await fetch(`${api.url}${path}`, { headers: { "last-event-id": "0" } });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("event: ready") || text.includes('"ready"')) break;
  }
  said.push(text);
}

/** What the sandbox's gateway has in its environment, where the system shows that. */
function environmentOf(id: string): string[] | undefined {
  if (process.platform !== "linux") return undefined;
  const record = JSON.parse(readFileSync(join(dataDir, "projects", id, "process.json"), "utf8")) as {
    child: { pid: number };
  };
  return readFileSync(`/proc/${record.child.pid}/environ`, "utf8").split("\0");
}

test("a credential reaches the sandbox, and nothing else, through all of its life and a change of the key", async () => {
  const credentials = "/api/providers/anthropic/credentials";
  let api = await start();
  expect((await call(api, "PUT", credentials, { value })).status).toBe(201);
  expect((await call(api, "PUT", credentials, { value: `${value}'` })).status).toBe(422);
  expect((await call(api, "PUT", credentials, { value, extra: value })).status).toBe(422);
  expect((await call(api, "PUT", "/api/providers/nope/credentials", { value })).status).toBe(404);
  const made = await call(api, "POST", "/api/projects", { name: "Keyed", flavorId: "js", addonIds: [] });
  const { id, status } = made.body["project"] as { id: string; status: string };
  expect(status).toBe("running");
  expect(environmentOf(id) ?? [`ANTHROPIC_API_KEY=${value}`]).toContain(`ANTHROPIC_API_KEY=${value}`);
  for (const path of ["", "/status", "/logs?tail=100"]) await call(api, "GET", `/api/projects/${id}${path}`);
  for (const path of ["/api/projects", "/api/providers", "/api/providers/anthropic", "/ready", "/openapi.json"]) {
    expect((await call(api, "GET", path)).status).toBe(200);
  }
  await listen(api, `/api/projects/${id}/events`);
  await listen(api, "/api/events");
  expect((await call(api, "PUT", credentials, { value: `${value}-2` })).status).toBe(200);
  const changed = await call(api, "POST", `/api/projects/${id}/restart`);
  expect(changed.body["project"]).toMatchObject({ status: "running" });
  expect(environmentOf(id) ?? [`ANTHROPIC_API_KEY=${value}-2`]).toContain(`ANTHROPIC_API_KEY=${value}-2`);
  expect(JSON.stringify((await systemTable().scan()).map(({ command }) => command))).not.toContain(value);

  expect((await runCli(["secrets", "rotate"], { env: { DATA_DIR: dataDir } })).stderr).toContain("Stop it first");
  expect(await api.end("SIGTERM")).toBe(0);
  const crash = await runScript("support/crash-in-rotation.ts", dataDir, "keep");
  expect(crash.signal).toBe("SIGKILL");
  api = await start();
  expect(api.output()).toContain("a rotation of the encryption key had been cut off");
  // The start may be at work on it.
  const again = await until("the project can be deployed", async () => {
    const answer = await call(api, "POST", `/api/projects/${id}/deploy`);
    return answer.status === 409 ? undefined : answer;
  });
  expect(again.body["project"]).toMatchObject({ status: "running" });
  expect(environmentOf(id) ?? [`ANTHROPIC_API_KEY=${value}-2`]).toContain(`ANTHROPIC_API_KEY=${value}-2`);
  expect((await call(api, "DELETE", credentials)).status).toBe(204);
  await call(api, "POST", `/api/projects/${id}/restart`);
  expect((environmentOf(id) ?? []).filter((entry) => entry.startsWith("ANTHROPIC"))).toEqual([]);

  for (const text of [...said, ...started.map((process) => process.output())]) expect(text).not.toContain(value);
  expect(said.join("").length).toBeGreaterThan(10_000);
  for await (const file of new Bun.Glob("**/*").scan({ cwd: dataDir, dot: true })) {
    expect([file, readFileSync(join(dataDir, file)).includes(value)]).toEqual([file, false]);
  }
  await call(api, "DELETE", `/api/projects/${id}`);
}, 120_000);

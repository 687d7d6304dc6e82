import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { call, newDataDir, removeDataDir, startApi, type ApiProcess } from "../support/api-process.ts";
import { describeWithEngine } from "../support/engine.ts";
import { dockerLeftovers, processLeftovers } from "../support/leftovers.ts";
import { runCliInTerminal } from "../support/run-cli.ts";
import { until } from "../support/wait.ts";

interface SseMessage {
  id: string | undefined;
  event: string | undefined;
  data: unknown;
}

/** Reads a stream of server-sent events until one of the given name came. */
async function readEvents(url: string, last: string, headers: Record<string, string> = {}): Promise<SseMessage[]> {
  const stop = new AbortController();
  const response = await fetch(url, { headers, signal: stop.signal });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const messages: SseMessage[] = [];
  let buffer = "";
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  while (messages.at(-1)?.event !== last) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) throw new Error(`the stream ended before ${last}`);
    buffer += decoder.decode(chunk.value, { stream: true });
    const frames = buffer.split("\n\n");
    buffer = frames.pop() ?? "";
    for (const frame of frames) {
      const field = (name: string) =>
        frame
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined) messages.push({ id: field("id"), event: field("event"), data: JSON.parse(data) });
    }
  }
  stop.abort();
  return messages;
}

const wait = { prefer: "wait=90" };

function lifecycle(runtime: "docker" | "process", leftovers: (id: string, dataDir: string) => string[]): void {
  let api: ApiProcess;
  let id: string;
  const dataDir = newDataDir();
  const get = async (path: string) => await call(api.url, "GET", path);

  beforeAll(async () => {
    api = await startApi({ dataDir, env: { RUNTIME: runtime } });
  });
  afterAll(async () => {
    await api.end("SIGTERM");
    removeDataDir(dataDir);
  });

  test("creates a project at once and brings it up while events tell how", async () => {
    const { status, body, headers } = await call(api.url, "POST", "/api/projects", {
      name: "My Café ☕",
      flavorId: "js",
      addonIds: [],
      description: "hello",
    });
    expect(status).toBe(201);
    id = body.project.id;
    expect(headers.get("location")).toBe(`/api/projects/${id}`);
    expect(body.project).toMatchObject({
      name: "My Café ☕",
      slug: "my-cafe",
      status: "creating",
      flavorId: "js",
      resourceTierId: "starter",
      addonIds: [],
      runtime,
    });
    const events = await readEvents(`${api.url}/api/projects/${id}/events`, "ready");
    const types = events.map(({ event }) => event);
    expect(types[0]).toBe("resolved");
    for (const stage of ["starting", "healthy"]) expect(types).toContain(stage);
    expect(types.at(-1)).toBe("ready");
    expect(events.map((event) => Number(event.id))).toEqual(
      events.map((event) => Number(event.id)).toSorted((a, b) => a - b),
    );
    expect((await get(`/api/projects/${id}`)).body.project.status).toBe("running");
  });

  test("goes on after the event a reader has seen last", async () => {
    const all = await readEvents(`${api.url}/api/projects/${id}/events`, "ready");
    const rest = await readEvents(`${api.url}/api/projects/${id}/events`, "ready", {
      "last-event-id": all[0]?.id ?? "",
    });
    expect(rest).toEqual(all.slice(1));
  });

  test("reports a status that the runtime confirms", async () => {
    const { body } = await get(`/api/projects/${id}/status`);
    expect(body).toMatchObject({
      status: "running",
      desiredState: "running",
      gateway: { healthy: true, activity: { idle: true, sessions: 0, turnsRunning: 0 } },
      runtime: { name: runtime, state: "running", error: null },
      operation: { kind: "create", status: "succeeded" },
    });
  });

  test("serves the gateway on a loopback port, with its health open and the rest closed", async () => {
    const { body } = await get(`/api/projects/${id}`);
    const gateway = body.project.gatewayUrl ?? "";
    expect(gateway).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${gateway}/health`)).status).toBe(200);
    expect((await fetch(`${gateway}/info`)).status).toBe(401);
  });

  test("never answers the gateway's token", async () => {
    const { shown: access } = await runCliInTerminal(["projects", "access", id], { env: { DATA_DIR: dataDir } });
    const token = /[A-Za-z0-9_-]{43}/.exec(access)?.[0] ?? "";
    expect(token).toHaveLength(43);
    const { body } = await get(`/api/projects/${id}`);
    const agents = await fetch(`${body.project.gatewayUrl}/v1/agents`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(agents.status).toBe(200);
    const pages = await Promise.all(
      [`/api/projects/${id}`, "/api/projects", `/api/projects/${id}/status`].map(async (path) =>
        JSON.stringify((await get(path)).body),
      ),
    );
    for (const page of pages) expect(page).not.toContain(token);
    expect(api.output()).not.toContain(token);
  });

  test("answers the log as JSON, as text, and as it grows", async () => {
    const { body } = await get(`/api/projects/${id}/logs?tail=50`);
    expect(body.lines.length).toBeGreaterThan(0);
    const text = await fetch(`${api.url}/api/projects/${id}/logs`, { headers: { accept: "text/plain" } });
    expect(await text.text()).toContain(body.lines[0]?.message ?? "nothing");
    const following = await fetch(`${api.url}/api/projects/${id}/logs?follow=true`);
    const reader = following.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.byteLength).toBeGreaterThan(0);
    await reader?.cancel();
  });

  test("stops and starts on the same port", async () => {
    const before = (await get(`/api/projects/${id}`)).body.project;
    const stopped = await call(api.url, "POST", `/api/projects/${id}/stop`, undefined, { prefer: "wait=60" });
    expect(stopped.status).toBe(202);
    expect(stopped.body).toMatchObject({
      project: { status: "stopped" },
      operation: { kind: "stop", status: "succeeded" },
    });
    await expect(fetch(`${before.gatewayUrl}/health`)).rejects.toThrow();
    const started = await call(api.url, "POST", `/api/projects/${id}/start`, undefined, { prefer: "wait=60" });
    expect(started.body).toMatchObject({ project: { status: "running", ports: before.ports } });
    expect((await fetch(`${before.gatewayUrl}/health`)).status).toBe(200);
    const restarted = await call(api.url, "POST", `/api/projects/${id}/restart`, undefined, { prefer: "wait=60" });
    expect(restarted.body).toMatchObject({
      project: { status: "running" },
      operation: { kind: "restart", status: "succeeded" },
    });
  });

  test("takes another tier by a redeploy that keeps ports", async () => {
    const before = (await get(`/api/projects/${id}`)).body.project;
    const { status, body } = await call(
      api.url,
      "PATCH",
      `/api/projects/${id}`,
      { resourceTierId: "builder", name: "Renamed" },
      { prefer: "wait=60" },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({
      project: {
        status: "running",
        resourceTierId: "builder",
        name: "Renamed",
        slug: before.slug,
        ports: before.ports,
      },
      operation: { kind: "update", status: "succeeded" },
    });
  });

  test("renames without touching the sandbox", async () => {
    const { body } = await call(api.url, "PATCH", `/api/projects/${id}`, { name: "Again" });
    expect(body).toMatchObject({ project: { name: "Again", status: "running" }, operation: null });
  });

  test("answers 409 with the running operation's id while another is at work", async () => {
    const first = await call(api.url, "POST", `/api/projects/${id}/restart`);
    const second = await call(api.url, "POST", `/api/projects/${id}/stop`);
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({ code: "operation_in_progress", operationId: first.body.operation.id });
    await until("the restart is over", async () =>
      (await get(`/api/projects/${id}`)).body.project.status === "running" ? true : undefined,
    );
  });

  test("comes back after the API was stopped and started", async () => {
    expect(await api.end("SIGTERM")).toBe(0);
    api = await startApi({ dataDir, env: { RUNTIME: runtime } });
    await until("the project is healthy again", async () =>
      (await get(`/api/projects/${id}/status`)).body.gateway.healthy === true ? true : undefined,
    );
  });

  test("deletes everything", async () => {
    await until("no operation is at work", async () =>
      (await get(`/api/projects/${id}`)).body.project.status === "running" ? true : undefined,
    );
    const deleted = await call(api.url, "DELETE", `/api/projects/${id}`, undefined, { prefer: "wait=60" });
    expect(deleted.status).toBe(204);
    expect((await get(`/api/projects/${id}`)).body).toMatchObject({
      code: "project_not_found",
      error: "Project not found",
    });
    expect(leftovers(id, dataDir)).toEqual([]);
  });
}

describe("a project's life on the process runtime", () => lifecycle("process", processLeftovers));

describeWithEngine("a project's life on the Docker runtime", () => {
  lifecycle("docker", (id) => dockerLeftovers(id));

  test("comes back after its container was paused, killed or removed behind the API's back", async () => {
    const dataDir = newDataDir();
    const api = await startApi({ dataDir, env: { RUNTIME: "docker" } });
    try {
      const made = await call(api.url, "POST", "/api/projects", { name: "Back", flavorId: "js", addonIds: [] }, wait);
      const { id } = made.body.project;
      for (const harm of [["pause"], ["kill"], ["rm", "--force"]]) {
        expect(Bun.spawnSync(["docker", ...harm, `agentpod-${id}`]).exitCode).toBe(0);
        const started = await call(api.url, "POST", `/api/projects/${id}/start`, undefined, wait);
        expect(started.body).toMatchObject({ project: { status: "running" }, operation: { status: "succeeded" } });
        expect((await call(api.url, "GET", `/api/projects/${id}/status`)).body.gateway.healthy).toBe(true);
      }
      expect((await call(api.url, "DELETE", `/api/projects/${id}`, undefined, wait)).status).toBe(204);
    } finally {
      await api.end("SIGTERM");
      removeDataDir(dataDir);
    }
  });

  test("serves VS Code on its published port", async () => {
    const dataDir = newDataDir();
    const api = await startApi({ dataDir, env: { RUNTIME: "docker" } });
    try {
      const { status, body } = await call(
        api.url,
        "POST",
        "/api/projects",
        { name: "Code", flavorId: "js" },
        { prefer: "wait=90" },
      );
      expect(status).toBe(201);
      expect(body).toMatchObject({ project: { status: "running", addonIds: ["code-server"] } });
      expect(body.project.imageRef).toContain("agentpod-js-code-server");
      const codeServerUrl = body.project.codeServerUrl ?? "";
      const page = await until("VS Code answers", async () => {
        const response = await fetch(codeServerUrl).catch(() => undefined);
        return response?.ok ? await response.text() : undefined;
      });
      expect(page).toContain("code-server");
      const deleted = await call(api.url, "DELETE", `/api/projects/${body.project.id}`, undefined, {
        prefer: "wait=60",
      });
      expect(deleted.status).toBe(204);
      expect(dockerLeftovers(body.project.id)).toEqual([]);
    } finally {
      await api.end("SIGTERM");
      removeDataDir(dataDir);
    }
  });
});

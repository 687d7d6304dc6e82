import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CoolifyFake, startCoolifyFake } from "@agentpod/coolify-fake";
import { type ApiProcess, call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { until } from "../support/wait.ts";

const wait = { prefer: "wait=30" };
const entry = "apps/api/tests/chaos/entry.ts";
const secret = "sk-very-secret-key-of-a-provider";

let fake: CoolifyFake;
let api: ApiProcess;
const dataDir = newDataDir();

function environment(): Record<string, string> {
  return {
    COOLIFY_URL: fake.url,
    COOLIFY_TOKEN: fake.tokens.all,
    COOLIFY_PROJECT_UUID: fake.projectUuid,
    COOLIFY_SERVER_UUID: fake.serverUuid,
    REGISTRY_URL: "registry.example.com",
    WILDCARD_DOMAIN: "pods.example.com",
    LOG_LEVEL: "debug",
  };
}

beforeAll(async () => {
  fake = await startCoolifyFake();
  api = await startApi({ dataDir, env: environment(), entry });
});

afterAll(async () => {
  await api.end("SIGTERM");
  await fake.close();
  removeDataDir(dataDir);
});

const post = (path: string, body?: unknown) => call(api.url, "POST", path, body, wait);

/** The types of a project's events, in order. */
async function eventsOf(id: string): Promise<string[]> {
  const stop = new AbortController();
  const response = await fetch(`${api.url}/api/projects/${id}/events`, { signal: stop.signal });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("event: ready")) break;
  }
  stop.abort();
  return Array.from(text.matchAll(/^event: (\w+)$/gm), ([, type]) => type ?? "");
}

describe("a project's life on Coolify", () => {
  let id = "";

  test("a create makes one application, with everything the plan asks for, and runs it", async () => {
    const credentials = { value: secret };
    expect((await call(api.url, "PUT", "/api/providers/anthropic/credentials", credentials)).status).toBe(201);
    const { status, body } = await post("/api/projects", {
      name: "On the fleet",
      resourceTierId: "builder",
      flavorId: "python",
      addonIds: ["gui", "code-server"],
    });
    expect(status).toBe(201);
    expect(body.operation).toMatchObject({ kind: "create", status: "succeeded" });
    ({ id } = body.project);
    expect(body.project).toMatchObject({
      slug: "on-the-fleet",
      status: "running",
      runtime: "coolify",
      fqdnUrl: "https://on-the-fleet.pods.example.com",
      gatewayUrl: "https://acp-on-the-fleet.pods.example.com",
      codeServerUrl: "https://code-on-the-fleet.pods.example.com",
      vncUrl: "https://vnc-on-the-fleet.pods.example.com",
    });
    expect(body.project.ports).toEqual([
      { name: "opencode", containerPort: 4096, hostPort: null },
      { name: "gateway", containerPort: 4097, hostPort: null },
      { name: "gui", containerPort: 6080, hostPort: null },
      { name: "code-server", containerPort: 8080, hostPort: null },
    ]);
    const [app, ...others] = fake.applications();
    expect(others).toEqual([]);
    expect(app).toMatchObject({ name: "on-the-fleet", ports_exposes: "4096,4097,6080,8080" });
    expect(app?.running?.image).toContain("registry.example.com/agentpod/agentpod-python-code-server-gui");
    expect(app?.running?.limits).toMatchObject({ limits_memory: "4096m", limits_cpus: "2" });
    expect(app?.running?.env).toMatchObject({ ANTHROPIC_API_KEY: secret, AGENTPOD_PROJECT_ID: id });
    expect(app?.running?.domains?.split(",").toSorted()).toEqual([
      "https://acp-on-the-fleet.pods.example.com:4097",
      "https://code-on-the-fleet.pods.example.com:8080",
      "https://on-the-fleet.pods.example.com:4096",
      "https://vnc-on-the-fleet.pods.example.com:6080",
    ]);
  });

  test("its events tell each stage", async () => {
    const types = await eventsOf(id);
    const stages = ["resolved", "created", "deploying", "starting", "healthy", "ready"];
    expect(types.filter((type) => stages.includes(type))).toEqual(stages);
  });

  test("a change of the configuration changes what runs, in the same application", async () => {
    const [before] = fake.applications();
    const { body } = await call(api.url, "PATCH", `/api/projects/${id}`, { flavorId: "go", addonIds: [] }, wait);
    expect(body.project).toMatchObject({ status: "running", flavorId: "go", codeServerUrl: null, vncUrl: null });
    const [app, ...others] = fake.applications();
    expect(others).toEqual([]);
    expect(app?.uuid).toBe(before?.uuid ?? "");
    expect(app?.running?.image).toContain("agentpod-go");
    expect(app?.running?.domains).toBe(
      "https://on-the-fleet.pods.example.com:4096,https://acp-on-the-fleet.pods.example.com:4097",
    );
  });

  test("stop, start and restart are carried through, and its log can be read", async () => {
    expect((await post(`/api/projects/${id}/stop`)).body.project.status).toBe("stopped");
    expect(fake.applications()[0]?.running).toBeNull();
    expect((await post(`/api/projects/${id}/start`)).body.project.status).toBe("running");
    expect((await post(`/api/projects/${id}/restart`)).body.project.status).toBe("running");
    expect(fake.applications()[0]?.running?.image).toContain("agentpod-go");
    const logs = await call(api.url, "GET", `/api/projects/${id}/logs?tail=5`);
    expect(logs.status).toBe(200);
    expect(logs.body.lines.length).toBeGreaterThan(0);
  });

  test("what Coolify refuses for good ends in an error that says why, and a deploy mends it", async () => {
    fake.faults.add({ kind: "failed_deployment", times: 1 });
    const { body } = await post(`/api/projects/${id}/deploy`);
    expect(body.operation.status).toBe("failed");
    expect(body.project.status).toBe("error");
    expect(body.project.statusReason?.message).toMatch(/deploy/i);
    expect((await post(`/api/projects/${id}/deploy`)).body.project).toMatchObject({
      status: "running",
      statusReason: null,
    });
  });

  test("what somebody does in Coolify itself is noticed and put right", async () => {
    const [app] = fake.applications();
    await fetch(`${fake.url}/api/v1/applications/${app?.uuid}/stop`, {
      method: "POST",
      headers: { authorization: `Bearer ${fake.tokens.all}`, accept: "application/json" },
    });
    await until("Coolify shows it stopped", () =>
      fake.applications()[0]?.status.startsWith("exited") ? true : undefined,
    );
    const { status } = await post("/api/runtime/reconcile");
    expect(status).toBe(200);
    await until("it runs again", () => (fake.applications()[0]?.running ? true : undefined));
    await until("no drift is left", async () => {
      const report = await (await fetch(`${api.url}/api/runtime/drift`)).json();
      if ((report as { drift: unknown[] }).drift.length === 0) return true;
      await post("/api/runtime/reconcile");
      return undefined;
    });
  });

  test("a delete leaves nothing, and no log line has a secret", async () => {
    expect((await call(api.url, "DELETE", `/api/projects/${id}`, undefined, wait)).status).toBe(204);
    expect(fake.applications()).toEqual([]);
    expect(fake.volumes()).toEqual([]);
    expect(api.output()).toContain("Coolify was asked");
    for (const forbidden of [secret, fake.tokens.all]) expect(api.output()).not.toContain(forbidden);
  });
});

describe("a start with Coolify", () => {
  test("names every ability that the token lacks", async () => {
    const folder = newDataDir();
    const env = { ...environment(), COOLIFY_TOKEN: fake.tokens.read };
    const refused = await startApi({ dataDir: folder, env }).catch((error: unknown) => String(error));
    removeDataDir(folder);
    expect(refused).toContain("write");
    expect(refused).toContain("deploy");
    expect(refused).not.toContain(fake.tokens.read);
  });
});

import { describe, expect, test } from "bun:test";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";

const digest = `sha256:${"ab".repeat(32)}`;

describe("a sandbox deployed on Coolify", () => {
  test("runs as the spec says, on one application with one volume", async () => {
    const { fake, runtime, run, onlyApplication, recorded, events } = await coolifyWorld();
    const spec = coolifySpec({ sourceUrl: "https://git.example.com/a/b.git" });
    await run(runtime.steps.deploy, spec);
    const app = onlyApplication();
    expect(app).toMatchObject({
      name: spec.slug,
      status: "running:healthy",
      ports_exposes: "4096,4097",
      projectUuid: fake.projectUuid,
      environmentName: fake.environmentName,
      serverUuid: fake.serverUuid,
      storages: [{ name: `${app.uuid}-workspace`, mount_path: "/home/developer/workspace" }],
      health: {
        health_check_enabled: true,
        health_check_host: "127.0.0.1",
        health_check_port: "4097",
        health_check_path: "/health",
        // Twenty seconds of health, and ten minutes for the source.
        health_check_retries: 124,
      },
    });
    expect(app.running).toMatchObject({
      image: spec.imageRef,
      domains: spec.urls.domainsConfig,
      limits: { limits_memory: "2048m", limits_memory_swap: "2048m", limits_cpus: "1.5" },
      restarting: false,
    });
    expect(app.running?.env).toMatchObject({
      AGENTPOD_PROJECT_ID: spec.projectId,
      AGENTPOD_GATEWAY_TOKEN: spec.gatewayToken,
      AGENTPOD_FLAVOR: "js",
      AGENTPOD_ADDONS: "",
      AGENTPOD_SOURCE_URL: "https://git.example.com/a/b.git",
      AGENTPOD_SOURCE_TIMEOUT: "600",
      OPENAI_API_KEY: "sk-very-secret-value",
    });
    expect(recorded.get(spec.projectId)).toBe(app.uuid);
    expect(fake.volumes()).toEqual([`${app.uuid}-workspace`]);
    expect(events.map(({ type }) => type)).toEqual(["created", "deploying", "starting", "healthy"]);
    expect(events[1]?.data).toEqual({ deploymentUuid: app.running?.deploymentUuid, status: "in_progress" });
  });

  test("is asked for in this order, and nothing is started before it is configured", async () => {
    const { runtime, run, sent } = await coolifyWorld();
    await run(runtime.steps.deploy, coolifySpec());
    expect(sent().filter((request) => !request.startsWith("GET"))).toEqual([
      "POST /applications/dockerimage",
      "PATCH /applications/*",
      "PATCH /applications/*/envs/bulk",
      "POST /applications/*/storages",
      "PATCH /applications/*",
      "POST /applications/*/start",
    ]);
  });

  test("gets what a GUI and a GPU need", async () => {
    const { fake, runtime, run } = await coolifyWorld({ runtime: { gpu: true } });
    expect(runtime.capabilities).toMatchObject({ gpu: true, limits: true, hostPorts: false });
    await run(runtime.steps.deploy, coolifySpec({ addonIds: ["gpu", "gui"], requiresGpu: true }));
    const patch = fake.requests().find(({ method, path }) => method === "PATCH" && !path.includes("preflight"));
    expect(patch?.body).toMatchObject({ custom_docker_run_options: "--cap-drop ALL --shm-size 256m --gpus all" });
  });

  test("without a wildcard domain has no domains at all", async () => {
    const { runtime, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const urls = { opencode: null, acpGateway: null, codeServer: null, vnc: null, domainsConfig: "" };
    await run(runtime.steps.deploy, { ...spec, generation: 2, urls });
    expect(onlyApplication().running?.domains).toBeNull();
  });

  test("is pinned to what its tag means now, where the registry tells", async () => {
    const { runtime, run, onlyApplication } = await coolifyWorld({ runtime: { digestOf: async () => digest } });
    await run(runtime.steps.deploy, coolifySpec());
    expect(onlyApplication().running?.image).toBe(`registry.example.com/agentpod/agentpod-js@${digest}`);
  });

  test("is deployed by its tag when the registry cannot be asked", async () => {
    const digestOf = () => Promise.reject(new Error("no route to the registry"));
    const { runtime, run, onlyApplication } = await coolifyWorld({ runtime: { digestOf } });
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication().running?.image).toBe(spec.imageRef);
  });
});

describe("a change of a sandbox on Coolify", () => {
  test("reaches what runs, keeps the volume, and takes back variables and ports", async () => {
    const { fake, runtime, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const before = onlyApplication();
    const domainsConfig = `${spec.urls.domainsConfig},https://code-${spec.slug}.pods.example.com:8080`;
    await run(runtime.steps.deploy, {
      ...spec,
      generation: 2,
      addonIds: ["code-server"],
      imageRef: "registry.example.com/agentpod/agentpod-js-code-server:1.0.0",
      limits: { ...spec.limits, cpus: 4, memoryBytes: 8 * 1024 ** 3 },
      ports: [...spec.ports, { name: "code-server", containerPort: 8080, hostPort: null }],
      urls: { ...spec.urls, domainsConfig },
      env: { ANTHROPIC_API_KEY: "sk-other-secret-value" },
    });
    const after = onlyApplication();
    expect(after.uuid).toBe(before.uuid);
    expect(after.running).toMatchObject({
      image: "registry.example.com/agentpod/agentpod-js-code-server:1.0.0",
      domains: domainsConfig,
      limits: { limits_memory: "8192m", limits_cpus: "4" },
    });
    expect(after.running?.env).toMatchObject({
      AGENTPOD_ADDONS: "code-server",
      ANTHROPIC_API_KEY: "sk-other-secret-value",
    });
    expect(after.running?.env).not.toHaveProperty("OPENAI_API_KEY");
    expect(after.ports_exposes).toBe("4096,4097,8080");
    expect(fake.volumes()).toEqual([`${after.uuid}-workspace`]);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running", generation: 2 });
  });

  test("takes back as many variables as it was given, and the settings of its gateway among them", async () => {
    const { runtime, run, onlyApplication } = await coolifyWorld();
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`OF_THE_FILE_${index}`, `value ${index}`]),
    );
    const given = { ...many, AGENTPOD_AGENT_INSTALL: "1", HTTPS_PROXY: "http://user:secret@proxy.example:3128" };
    const spec = coolifySpec({ env: given });
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication().running?.env).toMatchObject(given);
    expect((onlyApplication().description ?? "").length).toBeLessThanOrEqual(255);
    await run(runtime.steps.deploy, { ...spec, generation: 2, env: { OF_THE_FILE_7: "another" } });
    const env = onlyApplication().running?.env ?? {};
    expect(env["OF_THE_FILE_7"]).toBe("another");
    const others = Object.keys(given).filter((name) => name !== "OF_THE_FILE_7");
    expect(others.filter((name) => name in env)).toEqual([]);
  });

  test("leaves a variable alone that somebody added in Coolify", async () => {
    const { runtime, run, onlyApplication, options } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    await options.client.createEnv(onlyApplication().uuid, { key: "BY_HAND", value: "kept" });
    await run(runtime.steps.deploy, { ...spec, generation: 2, env: {} });
    expect(onlyApplication().running?.env).toMatchObject({ BY_HAND: "kept" });
    expect(onlyApplication().running?.env).not.toHaveProperty("OPENAI_API_KEY");
  });

  test("with a value that Coolify cannot carry is refused, which names the variable and not the value", async () => {
    const { fake, runtime, run, told } = await coolifyWorld();
    const error = await failureOf(run(runtime.steps.deploy, coolifySpec({ env: { MODEL_KEY: "it's-a-secret" } })));
    expect(error.failure).toBe("rejected");
    expect(error.message).toContain("MODEL_KEY must not hold a single quote");
    expect(error.message + told()).not.toContain("secret");
    expect(fake.applications()[0]?.running).toBeNull();
  });

  test("names the other resource that has its domain", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const error = await failureOf(run(runtime.steps.deploy, coolifySpec({ urls: spec.urls })));
    expect(error.failure).toBe("rejected");
    expect(error.message).toContain(`https://${spec.slug}.pods.example.com:4096 belongs to ${spec.slug}`);
  });

  test("says that domains are lost on a server without a proxy", async () => {
    const { fake, runtime, persist } = await coolifyWorld();
    fake.faults.add({ kind: "proxy_none" });
    const error = await failureOf(persist(runtime.steps.deploy, coolifySpec()));
    expect(error).toMatchObject({ failure: "unavailable", message: expect.stringContaining("has no proxy") });
  });
});

describe("a project older than markers", () => {
  test("keeps its application, which gets a marker", async () => {
    const { fake, runtime, run, onlyApplication, options, recorded } = await coolifyWorld();
    const spec = coolifySpec();
    const { uuid } = await options.client.createDockerImageApp(fake.projectUuid, fake.serverUuid, {
      environment_name: fake.environmentName,
      name: "old-name",
      description: "made long ago",
      image: "registry.example.com/old:1",
    });
    await options.client.createStorage(uuid, { name: "data", mount_path: "/home/developer/workspace" });
    recorded.set(spec.projectId, uuid);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited", generation: null });
    expect(await runtime.list()).toEqual([]);
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication()).toMatchObject({
      uuid,
      name: spec.slug,
      running: { image: spec.imageRef },
      storages: [{ name: `${uuid}-data` }],
    });
    expect(await runtime.list()).toMatchObject([{ projectId: spec.projectId, state: "running", generation: 1 }]);
  });

  test("is found again without its record, by the marker, even when somebody wrote around it", async () => {
    const { runtime, run, onlyApplication, options, recorded } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const { uuid, description } = onlyApplication();
    await options.client.updateApplication(uuid, { description: `Ask Kim first! ${description} (thanks)` });
    recorded.clear();
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running", generation: 1 });
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication().uuid).toBe(uuid);
    expect(recorded.get(spec.projectId)).toBe(uuid);
  });

  test("does not take over what another installation marked", async () => {
    const { fake, runtime, run, options, recorded } = await coolifyWorld();
    const spec = coolifySpec();
    const { uuid } = await options.client.createDockerImageApp(fake.projectUuid, fake.serverUuid, {
      environment_name: fake.environmentName,
      name: "theirs",
      description: `agentpod:fedcba9876543210:${spec.projectId}`,
      image: "registry.example.com/old:1",
    });
    recorded.set(spec.projectId, uuid);
    await run(runtime.steps.deploy, spec);
    expect(fake.applications().map(({ name }) => name)).toEqual(["theirs", spec.slug]);
    await run(runtime.steps.remove, spec);
    expect(fake.applications().map(({ name }) => name)).toEqual(["theirs"]);
  });
});

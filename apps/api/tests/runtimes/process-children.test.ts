import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createWorld, failureOf, MOODY_GATEWAY, pidOf, runSteps, until, type World } from "../support/process-world.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ command: MOODY_GATEWAY, stopTimeoutMs: 300 });
});
afterEach(() => world.end());

const deploy = (spec: SandboxSpec) => runSteps(world.runtime.steps.deploy, spec);

describe("children of the process runtime", () => {
  test("get the allowed environment and nothing else", async () => {
    process.env["API_TOKEN_OF_TEST"] = "secret-of-the-api";
    const spec = await world.spec({
      env: { MOOD: "shows", MODEL_KEY: "of-the-project", AGENTPOD_GATEWAY_TOKEN: "other", HOME: "/" },
    });
    await deploy(spec);
    delete process.env["API_TOKEN_OF_TEST"];
    const [first = ""] = (await Bun.file(join(world.folder(spec), "gateway.log")).text()).split("\n");
    const { env, argv, cwd } = JSON.parse(first);
    const folder = world.folder(spec);
    const { [`PWD`]: _, ...rest } = env;
    expect(rest).toEqual({
      ...world.options.baseEnv,
      MOOD: "shows",
      MODEL_KEY: "of-the-project",
      HOME: join(folder, "home"),
      AGENTPOD_PROJECT_ID: spec.projectId,
      AGENTPOD_WORKSPACE: join(folder, "workspace"),
      AGENTPOD_GATEWAY_HOST: "127.0.0.1",
      AGENTPOD_GATEWAY_PORT: String(spec.ports[0]?.hostPort),
      AGENTPOD_GATEWAY_TOKEN_FILE: join(folder, "gateway-token"),
    });
    expect(argv.slice(2)).toEqual([`--agentpod-instance=${world.instanceId}`, `--agentpod-project=${spec.projectId}`]);
    expect(cwd).toBe(folder);
  });

  test("that end at once are told with exit code and last lines, without the token", async () => {
    const spec = await world.spec({ env: { MOOD: "fails" } });
    const error = await failureOf(deploy(spec));
    expect(error.failure).toBe("sandbox_exited");
    expect(error.message).toBe(
      "the gateway ended with exit code 42; its last lines:\nline before\ncannot go on with [redacted][31m",
    );
  });

  test("that do not come up are ended, so that another deploy begins anew", async () => {
    const runtime = await world.restart({ healthTimeoutMs: 300 });
    const spec = await world.spec({ env: { MOOD: "hangs" } });
    expect((await failureOf(runSteps(runtime.steps.deploy, spec))).failure).toBe("not_healthy");
    expect(await world.processes()).toEqual([]);
    await deploy({ ...spec, env: {} });
  });

  test("whose start is aborted are taken up or replaced later", async () => {
    const spec = await world.spec({ env: { MOOD: "hangs" } });
    const controller = new AbortController();
    const deploying = runSteps(world.runtime.steps.deploy, spec, controller.signal);
    await until("the child is there", async () => (await world.runtime.inspect(spec.projectId)).state === "running");
    controller.abort();
    expect((await failureOf(deploying)).failure).toBe("timeout");
    await deploy({ ...spec, env: {} });
    expect(await world.processes()).toHaveLength(1);
  });

  test("that ignore SIGTERM are killed together with their families", async () => {
    const spec = await world.spec({ env: { MOOD: "stubborn family" } });
    await deploy(spec);
    await until("the family is there", async () => (await world.processes()).length >= 3);
    await runSteps(world.runtime.steps.stop, spec);
    expect(await world.processes()).toEqual([]);
  });

  test("that were killed leave no family behind", async () => {
    const spec = await world.spec({ env: { MOOD: "family" } });
    await deploy(spec);
    await until("the family is there", async () => (await world.processes()).length >= 3);
    process.kill(await pidOf(world, spec), "SIGKILL");
    await until("the child is gone", async () => (await world.runtime.inspect(spec.projectId)).state === "exited");
    await runSteps(world.runtime.steps.remove, spec);
    expect(await world.processes()).toEqual([]);
  });

  test("are stopped by a later life that is not their parent", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const next = await world.restart();
    expect((await next.inspect(spec.projectId)).state).toBe("running");
    expect(await runSteps(next.steps.deploy, spec)).toEqual(["healthy"]);
    await runSteps(next.steps.stop, spec);
    expect(await next.inspect(spec.projectId)).toMatchObject({ state: "exited", exitCode: null });
  });

  test("that cannot be started are told plainly", async () => {
    const runtime = await world.restart({ command: ["/no/such/program"] });
    const error = await failureOf(runSteps(runtime.steps.deploy, await world.spec()));
    expect(error.message).toContain("ENOENT");
  });

  test("need a port for the gateway", async () => {
    expect((await failureOf(deploy(await world.spec({ ports: [] })))).failure).toBe("rejected");
  });
});

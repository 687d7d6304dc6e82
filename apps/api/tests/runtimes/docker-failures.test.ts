import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { connectDocker, createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import { RuntimeError, type Runtime, type SandboxSpec } from "../../src/runtimes/runtime.ts";
import { dockerSandboxes, execIn, freePort, runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeWithEngine } from "../support/engine.ts";
import { idsOf } from "../support/ids-of.ts";
import { imageRunning, requireSandboxImage } from "../support/sandbox-image.ts";

async function failure(promise: Promise<unknown>): Promise<RuntimeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RuntimeError) return error;
  throw new Error(`expected a RuntimeError, got ${String(error)}`, { cause: error });
}

const servers: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

describeWithEngine("a sandbox that Docker cannot bring up", () => {
  const { docker, runtime: createRuntime, container, keep } = dockerSandboxes();
  const unique = randomUUID().slice(0, 8);
  let runtime: Runtime;

  beforeAll(async () => {
    await requireSandboxImage(docker);
    runtime = await createRuntime({ healthTimeoutMs: 20_000 });
  });

  const deploy = (spec: SandboxSpec) => failure(runSteps(runtime.steps.deploy, spec));

  test("tells the exit code and the end of the log, without the project's secrets", async () => {
    const script =
      "for i in $(seq 1 40); do echo line $i; done; echo token $AGENTPOD_GATEWAY_TOKEN; echo key $MODEL_KEY; exit 7";
    const imageRef = keep(await imageRunning(docker, `exits-${unique}`, ["bash", "-c", script]));
    const spec = sandboxSpec({ imageRef, env: { MODEL_KEY: "sk-very-secret" } });
    const error = await deploy(spec);
    expect(error.failure).toBe("sandbox_exited");
    expect(error.message).toContain("exit code 7");
    expect(error.message).toContain("line 40");
    expect(error.message).not.toContain("line 1\n");
    expect(error.message).toContain("token [redacted]");
    expect(error.message).toContain("key [redacted]");
    expect(error.message).not.toContain(spec.gatewayToken);
    expect(error.message).not.toContain("sk-very-secret");
    const { State, RestartCount } = await container(spec).inspect();
    expect([State.Status, RestartCount]).toEqual(["exited", 0]);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited", exitCode: 7 });
  });

  test("says that the memory was not enough", async () => {
    const imageRef = keep(await imageRunning(docker, `oom-${unique}`, ["bash", "-c", "tail /dev/zero; exit $?"]));
    const spec = sandboxSpec({ imageRef, limits: { cpus: 1, memoryBytes: 32 * 1024 ** 2, storageBytes: 1 } });
    const error = await deploy(spec);
    expect(error.failure).toBe("sandbox_exited");
    expect(error.message).toContain("more than its 32 MB of memory");
  });

  test("waits no longer than it should for a gateway that does not come", async () => {
    const imageRef = keep(await imageRunning(docker, `silent-${unique}`, ["sleep", "60"]));
    const impatient = await createRuntime({ healthTimeoutMs: 500, stopTimeoutSeconds: 0 });
    const spec = sandboxSpec({ imageRef });
    const error = await failure(runSteps(impatient.steps.deploy, spec));
    expect(error.failure).toBe("not_healthy");
    expect(await impatient.inspect(spec.projectId)).toMatchObject({ state: "running" });
    await runSteps(impatient.steps.stop, spec);
    // Ended by SIGKILL after no grace at all.
    expect(await impatient.inspect(spec.projectId)).toMatchObject({ state: "exited", exitCode: 137 });
  });

  test("stops waiting when it is told to, and comes up when it is tried again", async () => {
    const imageRef = keep(await imageRunning(docker, `late-${unique}`, ["tini", "--", "sleep", "60"]));
    const spec = sandboxSpec({ imageRef });
    const stop = new AbortController();
    const onEvent = ({ type }: { type: string }) => {
      if (type === "starting") setTimeout(() => stop.abort(), 100);
    };
    const error = await failure(runSteps(runtime.steps.deploy, spec, { signal: stop.signal, onEvent }));
    expect(error.failure).toBe("timeout");
    const mended = { ...spec, generation: 2, imageRef: sandboxSpec().imageRef };
    await runSteps(runtime.steps.deploy, mended);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running", generation: 2 });
  });

  test("gives way when a program of this host holds a port, and works with another", async () => {
    const spec = sandboxSpec();
    const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    servers.push({ close: () => taken.stop(true) });
    const withTaken = { ...spec, ports: spec.ports.map((port) => ({ ...port })) };
    const [first] = withTaken.ports;
    if (first) first.hostPort = taken.port ?? 0;
    const error = await deploy(withTaken);
    expect(error.failure).toBe("port_conflict");
    expect(error.message).toContain(String(taken.port));
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "absent" });
    await runSteps(runtime.steps.deploy, spec);
  });

  test("gives way when another sandbox holds a port", async () => {
    const holder = sandboxSpec();
    await runSteps(runtime.steps.deploy, holder);
    const spec = sandboxSpec({ ports: holder.ports });
    expect((await deploy(spec)).failure).toBe("port_conflict");
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "absent" });
    expect(await runtime.inspect(holder.projectId)).toMatchObject({ state: "running" });
  });

  test("says how to make an image that is not there", async () => {
    const imageRef = "localhost/agentpod/agentpod-nothing-of-the-kind:0.0.0";
    const spec = sandboxSpec({ imageRef, flavorId: "js", addonIds: ["code-server"] });
    const error = await deploy(spec);
    expect(error.failure).toBe("image_unavailable");
    expect(error.message).toContain(imageRef);
    expect(error.message).toContain("docker/scripts/build.sh --flavor js --addon code-server");
    expect(await idsOf(runtime)).not.toContain(spec.projectId);
  });

  test("passes on why the engine refuses a setting", async () => {
    const error = await deploy(sandboxSpec({ limits: { cpus: 1, memoryBytes: 1024, storageBytes: 1 } }));
    expect(error.failure).toBe("rejected");
    expect(error.message).toMatch(/memory limit/i);
  });

  test("says that the engine offers no GPU", async () => {
    if (runtime.capabilities.gpu) return;
    const error = await deploy(sandboxSpec({ requiresGpu: true }));
    expect(error.failure).toBe("rejected");
    expect(error.message).toContain("GPU");
  });

  test("fails when its source cannot be cloned, and tries again at the next start", async () => {
    const spec = sandboxSpec({ sourceUrl: `http://127.0.0.1:${freePort()}/nothing.git` });
    const error = await deploy(spec);
    expect(error.failure).toBe("source_clone_failed");
    expect(error.message).toMatch(/unable to access|connect/i);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited" });
    expect((await failure(runSteps(runtime.steps.start, spec))).failure).toBe("source_clone_failed");
  });

  test("keeps what the workspace already holds when it has a source", async () => {
    const spec = sandboxSpec();
    await runSteps(runtime.steps.deploy, spec);
    await execIn(container(spec), ["sh", "-c", "echo mine > /home/developer/workspace/file"]);
    const withSource = { ...spec, generation: 2, sourceUrl: `http://127.0.0.1:${freePort()}/nothing.git` };
    await runSteps(runtime.steps.deploy, withSource);
    expect((await execIn(container(spec), ["cat", "/home/developer/workspace/file"])).output).toBe("mine\n");
  });
});

describe("an engine that cannot be used", () => {
  const options = {
    instanceId: "test",
    wildcardDomain: null,
    healthTimeoutMs: 1_000,
    stopTimeoutSeconds: 1,
    logger: { warn: () => undefined },
  };

  test.each([
    ["a socket that is not there", "unix:///nowhere/docker.sock", /no Docker engine.*ENOENT.*DOCKER_HOST/],
    ["a port nobody listens on", `tcp://127.0.0.1:${freePort()}`, /not running.*ECONNREFUSED/],
  ])("is unavailable: %s", async (_name, host, message) => {
    const error = await failure(createDockerRuntime({ ...options, docker: connectDocker(host) }));
    expect(error.failure).toBe("unavailable");
    expect(error.message).toMatch(message);
  });

  test("is unavailable when something else answers", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({ hello: "world" }) });
    servers.push({ close: () => server.stop(true) });
    const docker = connectDocker(`tcp://127.0.0.1:${server.port}`);
    expect((await failure(createDockerRuntime({ ...options, docker }))).failure).toBe("unavailable");
  });

  test("does not hold up a probe for ever", async () => {
    const path = join(tmpdir(), `agentpod-engine-${randomUUID()}.sock`);
    const info = { OSType: "linux", ServerVersion: "1", NCPU: 1, MemTotal: 1, MemoryLimit: true, CpuCfsQuota: true };
    const engine = Bun.serve({
      unix: path,
      fetch: (request) =>
        request.url.endsWith("/info")
          ? Response.json({ ...info, PidsLimit: true, Runtimes: { runc: {}, nvidia: {} } })
          : new Promise<Response>(() => undefined),
    });
    const runtime = await createDockerRuntime({ ...options, docker: connectDocker(`unix://${path}`) });
    expect(runtime.capabilities).toMatchObject({ gpu: true, cpusMax: 1 });
    const probing = runtime.probe();
    await engine.stop(true);
    expect(await probing).toMatchObject({ ok: false });

    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    servers.push({ close: () => silent.close() });
    const startedAt = performance.now();
    expect(await runtime.probe()).toEqual({ ok: false, message: expect.stringContaining("no answer") });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await expect(runtime.inspect("a/../b")).rejects.toMatchObject({ failure: "rejected" });
  }, 20_000);
});

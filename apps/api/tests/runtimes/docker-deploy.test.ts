import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { beforeAll, expect, test } from "bun:test";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { dockerSandboxes, execIn, runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeWithEngine } from "../support/engine.ts";
import { requireSandboxImage } from "../support/sandbox-image.ts";

describeWithEngine("a sandbox on Docker", () => {
  const { docker, instanceId, runtime: createRuntime, container } = dockerSandboxes();
  const spec = sandboxSpec({
    addonIds: ["code-server"],
    env: { MODEL_KEY: "a-secret-of-the-project", EMPTY: "", AGENTPOD_AGENT_INSTALL: "1" },
    limits: { cpus: 0.5, memoryBytes: 384 * 1024 ** 2, storageBytes: 1024 ** 3 },
  });
  const port = (name: string) => spec.ports.find((candidate) => candidate.name === name)?.hostPort ?? 0;
  let runtime: Runtime;

  async function shell(script: string): Promise<string> {
    return (await execIn(container(spec), ["sh", "-c", script])).output.trim();
  }

  async function info(): Promise<{ status: number; projectId: unknown }> {
    const response = await fetch(`http://127.0.0.1:${port("gateway")}/info`, {
      headers: { authorization: `Bearer ${spec.gatewayToken}` },
    });
    const body: unknown = await response.json();
    const projectId = typeof body === "object" && body !== null && "projectId" in body ? body.projectId : undefined;
    return { status: response.status, projectId };
  }

  beforeAll(async () => {
    await requireSandboxImage(docker);
    runtime = await createRuntime();
  });

  test("comes up from nothing and tells its moments", async () => {
    const before = Date.now();
    const events = await runSteps(runtime.steps.deploy, spec);
    expect(events.map(({ type }) => type)).toEqual(["created", "starting", "healthy"]);
    const observed = await runtime.inspect(spec.projectId);
    expect(observed).toMatchObject({ projectId: spec.projectId, state: "running", generation: 1, exitCode: null });
    expect(Date.parse(observed.startedAt ?? "")).toBeGreaterThan(before - 5_000);
    expect(await info()).toEqual({ status: 200, projectId: spec.projectId });
  });

  test("has a gateway that goes by the project's variables, and tools that have them", async () => {
    expect(await shell('echo "$MODEL_KEY"')).toBe("a-secret-of-the-project");
    const url = `http://127.0.0.1:${port("gateway")}/v1/agents/goose/install`;
    const headers = { authorization: `Bearer ${spec.gatewayToken}` };
    const answer = await fetch(url, { method: "POST", headers });
    // It may install, but this one does not come from npm.
    expect(await answer.json()).toMatchObject({ code: "not_supported" });
  });

  test("has the tier's limits in its control group", async () => {
    const cgroup = "cd /sys/fs/cgroup; if [ -e cgroup.controllers ]; then";
    const memory = await shell(`${cgroup} cat memory.max; else cat memory/memory.limit_in_bytes; fi`);
    expect(Number(memory)).toBe(384 * 1024 ** 2);
    const cpu = await shell(`${cgroup} cat cpu.max; else cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us; fi`);
    const [quota = 0, period = 1] = cpu.split(/\s+/).map(Number);
    expect(quota / period).toBeCloseTo(0.5);
    expect(await shell(`${cgroup} cat pids.max; else cat pids/pids.max; fi`)).toBe("4096");
    const { HostConfig } = await container(spec).inspect();
    expect(HostConfig.MemorySwap).toBe(HostConfig.Memory);
  });

  test("runs without capabilities and cannot gain any", async () => {
    const status = await shell("cat /proc/1/status");
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Uid:\s+1000\s/m);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, "m"));
    }
  });

  test("publishes its ports on loopback and nowhere else", async () => {
    const { NetworkSettings } = await container(spec).inspect();
    for (const { containerPort, hostPort } of spec.ports) {
      expect(NetworkSettings.Ports[`${containerPort}/tcp`]).toEqual([
        { HostIp: "127.0.0.1", HostPort: String(hostPort) },
      ]);
    }
    expect(await accepts("127.0.0.1", port("gateway"))).toBe(true);
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((at) => at?.family === "IPv4" && !at.internal);
    for (const at of others) {
      expect(await accepts(at?.address ?? "", port("gateway"))).toBe(false);
    }
  });

  test("knows who it is", async () => {
    const env = await shell("tr '\\0' '\\n' < /proc/1/environ; echo \"host=$(hostname)\"");
    expect(env).toContain(`AGENTPOD_PROJECT_ID=${spec.projectId}`);
    expect(env).toContain("AGENTPOD_FLAVOR=js");
    expect(env).toContain("AGENTPOD_ADDONS=code-server");
    expect(env).toContain("MODEL_KEY=a-secret-of-the-project");
    expect(env).toContain(`host=${spec.slug}`);
    const { Config, HostConfig } = await container(spec).inspect();
    expect(Config.Labels).toMatchObject({
      "dev.agentpod.instance": instanceId,
      "dev.agentpod.project": spec.projectId,
      "dev.agentpod.slug": spec.slug,
      "dev.agentpod.generation": "1",
    });
    const labels = JSON.stringify(Config.Labels);
    expect(labels).not.toContain(spec.gatewayToken);
    expect(labels).not.toContain("a-secret-of-the-project");
    expect(Object.keys(Config.Labels).filter((name) => name.startsWith("traefik"))).toEqual([]);
    expect(HostConfig.RestartPolicy?.Name).toBe("unless-stopped");
  });

  test("cannot reach another sandbox", async () => {
    const neighbour = sandboxSpec();
    await runSteps(runtime.steps.deploy, neighbour);
    const { NetworkSettings } = await container(neighbour).inspect();
    const address = NetworkSettings.Networks["agentpod"]?.IPAddress ?? "";
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const answersFrom = (host: string) =>
      shell(`curl --silent --max-time 2 --output /dev/null --write-out '%{http_code}' http://${host}:4097/health`);
    expect(await answersFrom("127.0.0.1")).toBe("200");
    expect(await answersFrom(address)).toBe("000");
    await runSteps(runtime.steps.remove, neighbour);
  });

  test("stays as it is when its steps run again", async () => {
    const { Id, State } = await container(spec).inspect();
    for (const step of runtime.steps.deploy) await runSteps([step, step], spec);
    const again = await container(spec).inspect();
    expect([again.Id, again.State.StartedAt]).toEqual([Id, State.StartedAt]);
  });

  test("keeps its files and ports over stop and start", async () => {
    await shell("echo kept > /home/developer/workspace/note");
    expect((await runSteps(runtime.steps.stop, spec)).map(({ type }) => type)).toEqual(["stopping"]);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited", exitCode: 0 });
    await runSteps(runtime.steps.stop, spec);
    expect((await runSteps(runtime.steps.start, spec)).map(({ type }) => type)).toEqual(["starting", "healthy"]);
    expect(await shell("cat /home/developer/workspace/note")).toBe("kept");
    expect(await info()).toEqual({ status: 200, projectId: spec.projectId });
    expect((await container(spec).inspect()).HostConfig.RestartPolicy?.Name).toBe("unless-stopped");
  });

  test("comes back after somebody killed or removed it", async () => {
    await container(spec).kill();
    await container(spec).wait();
    expect((await runtime.inspect(spec.projectId)).state).toBe("exited");
    expect((await runSteps(runtime.steps.start, spec)).map(({ type }) => type)).toEqual(["starting", "healthy"]);
    expect(await info()).toEqual({ status: 200, projectId: spec.projectId });

    await container(spec).remove({ force: true });
    expect((await runtime.inspect(spec.projectId)).state).toBe("absent");
    const events = await runSteps(runtime.steps.deploy, spec);
    expect(events.map(({ type }) => type)).toEqual(["created", "starting", "healthy"]);
    expect(await info()).toEqual({ status: 200, projectId: spec.projectId });
    expect(await shell("cat /home/developer/workspace/note")).toBe("kept");
  });

  test("is made anew for another generation, on the same files", async () => {
    const { Id } = await container(spec).inspect();
    const next = { ...spec, generation: 2, limits: { ...spec.limits, memoryBytes: 256 * 1024 ** 2 } };
    const events = await runSteps(runtime.steps.deploy, next);
    expect(events.map(({ type }) => type)).toEqual(["created", "starting", "healthy"]);
    const made = await container(spec).inspect();
    expect(made.Id).not.toBe(Id);
    expect(made.HostConfig.Memory).toBe(256 * 1024 ** 2);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running", generation: 2 });
    expect(await shell("cat /home/developer/workspace/note")).toBe("kept");
  });

  test("gets no more cpus and memory than the engine has", async () => {
    const { cpusMax, memoryBytesMax } = runtime.capabilities;
    const huge = sandboxSpec({ limits: { cpus: 512, memoryBytes: 2 ** 45, storageBytes: 1 } });
    await runSteps(
      runtime.steps.deploy.filter(({ name }) => name !== "start" && name !== "healthy"),
      huge,
    );
    const { HostConfig } = await container(huge).inspect();
    expect(HostConfig.NanoCpus).toBe((cpusMax ?? 0) * 1e9);
    expect(HostConfig.Memory).toBe(memoryBytesMax ?? 0);
    await runSteps(runtime.steps.remove, huge);
  });
});

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
    socket.once("timeout", () => settle(false));
  });
}

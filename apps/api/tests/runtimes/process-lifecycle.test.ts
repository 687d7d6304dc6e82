import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { idsOf } from "../support/ids-of.ts";
import {
  createWorld,
  askInfo,
  failureOf,
  pidOf,
  projectFolders,
  recordOf,
  runSteps,
  until,
  type World,
} from "../support/process-world.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.end());

const deploy = (spec: SandboxSpec) => runSteps(world.runtime.steps.deploy, spec);

describe("the process runtime with the real gateway", () => {
  test("deploys, stops, starts and removes a sandbox", async () => {
    const { runtime } = world;
    const spec = await world.spec();
    expect((await runtime.inspect(spec.projectId)).state).toBe("absent");

    expect(await deploy(spec)).toEqual(["created", "starting", "healthy"]);
    expect(await askInfo(spec)).toMatchObject({
      projectId: spec.projectId,
      workspace: join(world.folder(spec), "workspace"),
    });
    const running = await runtime.inspect(spec.projectId);
    expect(running).toMatchObject({ state: "running", generation: 1, exitCode: null });
    expect(Date.parse(running.startedAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
    expect(await idsOf(runtime)).toEqual([spec.projectId]);

    const pid = await pidOf(world, spec);
    expect(await runSteps(runtime.steps.stop, spec)).toEqual(["stopping"]);
    expect(() => process.kill(pid, 0)).toThrow();
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited", generation: 1, exitCode: 0 });
    expect(await askInfo(spec)).toBeUndefined();

    await writeFile(join(world.folder(spec), "workspace", "kept"), "data");
    expect(await runSteps(runtime.steps.start, spec)).toEqual(["starting", "healthy"]);
    expect(existsSync(join(world.folder(spec), "workspace", "kept"))).toBe(true);

    await runSteps(runtime.steps.remove, spec);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "absent", generation: null });
    expect(await idsOf(runtime)).toEqual([]);
    expect(await projectFolders(world)).toEqual([]);
    expect(await world.processes()).toEqual([]);
  });

  test("keeps the child when a deploy is repeated, and replaces it for a new generation", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const pid = await pidOf(world, spec);
    expect(await deploy(spec)).toEqual(["healthy"]);
    expect(await pidOf(world, spec)).toBe(pid);

    expect(await deploy({ ...spec, generation: 2 })).toEqual(["starting", "healthy"]);
    expect(await pidOf(world, spec)).not.toBe(pid);
    expect((await world.runtime.inspect(spec.projectId)).generation).toBe(2);
    expect(await world.processes()).toHaveLength(1);
  });

  test("hands the project's variables to the gateway, which goes by them, and before those of the host", async () => {
    const agents = join(world.dataDir, "agents.json");
    await writeFile(
      agents,
      JSON.stringify({ agents: [{ id: "here", command: ["sh", "-c", "env >&2"], acceptsEnv: ["MINE"] }] }),
    );
    const told = { AGENTPOD_AGENT_INSTALL: "1", AGENTPOD_AGENTS_FILE: agents, MINE: "1", https_proxy: "http://mine" };
    const baseEnv = { ...world.options.baseEnv, HTTPS_PROXY: "http://the-hosts", NO_PROXY: "localhost" };
    const runtime = await world.restart({ baseEnv });
    const env = async (of: SandboxSpec) =>
      (await readFile(`/proc/${await pidOf(world, of)}/environ`, "utf8")).split("\0");
    const install = async (of: SandboxSpec) => {
      const headers = { authorization: `Bearer ${of.gatewayToken}` };
      const url = `http://127.0.0.1:${of.ports[0]?.hostPort}/v1/agents/here/install`;
      return (await fetch(url, { method: "POST", headers })).json();
    };
    const spec = await world.spec({ env: told });
    await runSteps(runtime.steps.deploy, spec);
    // It may install, but this one comes from nowhere.
    expect(await install(spec)).toMatchObject({ code: "not_supported" });
    if (process.platform === "linux") {
      const variables = await env(spec);
      expect(variables).toEqual(expect.arrayContaining(["MINE=1", "https_proxy=http://mine", "NO_PROXY=localhost"]));
      expect(variables).not.toContain("HTTPS_PROXY=http://the-hosts");
    }
    const { AGENTPOD_AGENT_INSTALL: _, ...rest } = told;
    const later = { ...spec, generation: 2, env: rest };
    await runSteps(runtime.steps.start, later);
    expect(await install(later)).toMatchObject({
      code: "install_not_allowed",
      detail: expect.stringContaining("SANDBOX_ENV_FILE"),
    });
  });

  test("replaces a child whose token or port changed", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const moved = await world.spec({ projectId: spec.projectId });
    await deploy(moved);
    expect(await askInfo(moved)).toMatchObject({ projectId: spec.projectId });
    expect(await askInfo(spec)).toBeUndefined();
    expect(await world.processes()).toHaveLength(1);
  });

  test("repeats stop and remove without complaint, also for a project it never had", async () => {
    const spec = await world.spec();
    await deploy(spec);
    for (let round = 0; round < 2; round += 1) await runSteps(world.runtime.steps.stop, spec);
    for (let round = 0; round < 2; round += 1) await runSteps(world.runtime.steps.remove, spec);
    await runSteps(world.runtime.steps.remove, { projectId: "never-was" });
    await world.runtime.sweep("never-was");
  });

  test("refuses to start what was never deployed", async () => {
    const error = await failureOf(runSteps(world.runtime.steps.start, await world.spec()));
    expect(error.failure).toBe("not_found");
    expect(await projectFolders(world)).toEqual([]);
  });

  test("shows a killed child as exited, and start brings it back", async () => {
    const spec = await world.spec();
    await deploy(spec);
    process.kill(await pidOf(world, spec), "SIGKILL");
    await until("the child is gone", async () => (await world.runtime.inspect(spec.projectId)).state === "exited");
    expect((await world.runtime.inspect(spec.projectId)).exitCode).toBe(137);
    await runSteps(world.runtime.steps.start, spec);
    expect((await world.runtime.inspect(spec.projectId)).state).toBe("running");
  });

  test("does not take a process with the same pid for its child", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const pid = await pidOf(world, spec);
    const record = await recordOf(world, spec);
    await runSteps(world.runtime.steps.stop, spec);

    const stranger = Bun.spawn(["sleep", "1000"], { detached: true });
    const reused = { ...record, child: { pid: stranger.pid, identity: record.child?.identity } };
    await writeFile(join(world.folder(spec), "process.json"), JSON.stringify(reused));
    expect((await world.runtime.inspect(spec.projectId)).state).toBe("exited");
    await runSteps(world.runtime.steps.stop, spec);
    await deploy(spec);
    expect(await pidOf(world, spec)).not.toBe(pid);
    await runSteps(world.runtime.steps.remove, spec);
    expect(stranger.exitCode).toBeNull();
    process.kill(stranger.pid, 0);
    stranger.kill("SIGKILL");
    await stranger.exited;
  });

  test("answers a port that is taken with port_conflict, whoever holds it, and leaves no child", async () => {
    const other = await world.spec();
    await deploy(other);
    const sameAsOther = await world.spec({ ports: other.ports });
    expect((await failureOf(deploy(sameAsOther))).failure).toBe("port_conflict");

    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
    const blocked = await world.spec({ ports: [{ name: "gateway", containerPort: 4097, hostPort: server.port ?? 0 }] });
    expect((await failureOf(deploy(blocked))).failure).toBe("port_conflict");
    await server.stop(true);

    expect(await world.processes()).toEqual([await pidOf(world, other)]);
    await deploy({ ...blocked, ports: (await world.spec()).ports });
  });

  test("keeps folders and secrets from other users of the host", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const mode = (name: string) => statSync(join(world.folder(spec), name)).mode & 0o777;
    expect(readdirSync(world.folder(spec)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "gateway-token",
      "gateway.log",
      "home",
      "process.json",
      "workspace",
    ]);
    for (const folder of [".", "workspace", "home"]) expect(mode(folder)).toBe(0o700);
    for (const file of ["gateway-token", "gateway.log", "process.json"]) expect(mode(file)).toBe(0o600);
    for (const file of ["gateway.log", "process.json"]) {
      expect(await Bun.file(join(world.folder(spec), file)).text()).not.toContain(spec.gatewayToken);
    }
  });

  test.if(process.platform === "linux")("hands the child no open file or socket of the control plane", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const spec = await world.spec();
    await deploy(spec);
    const pid = await pidOf(world, spec);
    const held = (of: number | "self") =>
      readdirSync(`/proc/${of}/fd`).flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/${of}/fd/${fd}`)];
        } catch {
          return [];
        }
      });
    const sockets = new Set(held("self").filter((target) => target.startsWith("socket:")));
    expect(sockets.size).toBeGreaterThan(0);
    expect(held(pid).filter((target) => sockets.has(target))).toEqual([]);
    await server.stop(true);
  });

  test("says that it works, and with which git", async () => {
    expect(await world.runtime.probe()).toEqual({ ok: true, version: expect.stringMatching(/^with(out git| git \d)/) });
  });

  test("says what it cannot do", () => {
    expect(world.runtime.capabilities).toMatchObject({
      gpu: false,
      volumes: true,
      addons: false,
      limits: false,
      isolation: false,
    });
    expect(world.runtime.capabilities.cpusMax).toBeGreaterThan(0);
  });

  test("refuses an id that leads out of its folder", async () => {
    for (const projectId of ["../other", "a/b", "", ".", "..", "a\0b", "-x"]) {
      expect((await failureOf(world.runtime.sweep(projectId))).failure).toBe("rejected");
      expect((await failureOf(world.runtime.inspect(projectId))).failure).toBe("rejected");
    }
  });

  test("removes a folder with links, read-only folders and files that keep coming, and nothing outside", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const outside = join(world.dataDir, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "precious"), "1");
    const workspace = join(world.folder(spec), "workspace");
    await symlink(outside, join(workspace, "link"));
    await mkdir(join(workspace, "readonly", "deep"), { recursive: true });
    await writeFile(join(workspace, "readonly", "deep", "file"), "1");
    await chmod(join(workspace, "readonly", "deep"), 0o500);
    await chmod(join(workspace, "readonly"), 0o500);
    const script = `let n = 0; setInterval(() => { try { require("fs").writeFileSync("${workspace}/" + n++, "x") } catch {} }, 1)`;
    const writer = Bun.spawn([process.execPath, "-e", script], { env: { HOME: join(world.folder(spec), "home") } });
    await until("the writer writes", () => existsSync(join(workspace, "0")));
    await runSteps(world.runtime.steps.remove, spec);
    expect(await projectFolders(world)).toEqual([]);
    expect(existsSync(join(outside, "precious"))).toBe(true);
    await writer.exited;
  });

  test("ends all sandboxes at its close, and the next life starts them again", async () => {
    const specs = await Promise.all([world.spec(), world.spec(), world.spec()]);
    await Promise.all(specs.map(deploy));
    await world.runtime.close();
    expect(await world.processes()).toEqual([]);
    const next = await world.restart();
    for (const spec of specs) {
      expect(await next.inspect(spec.projectId)).toMatchObject({ state: "exited", generation: 1, exitCode: null });
      await runSteps(next.steps.start, spec);
    }
  });
});

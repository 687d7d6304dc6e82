import { describe, expect, test } from "bun:test";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { entry, testManager } from "./agents/support.ts";
import type { AgentReport as Agent } from "../src/types.ts";
import { startGateway, temporaryFolder, TOKEN, until } from "./support/gateway.ts";

async function script(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

async function agentsOf(gateway: { get: (path: string) => Promise<Response> }): Promise<Map<string, Agent>> {
  const { agents }: { agents: Agent[] } = JSON.parse(await (await gateway.get("/v1/agents")).text());
  return new Map(agents.map((agent) => [agent.id, agent]));
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("the list of agents", () => {
  test("an agent is installed exactly when its program is on PATH", async () => {
    await using bin = await temporaryFolder();
    await using gateway = await startGateway({ PATH: `${bin.path}:/usr/bin:/bin` });
    const before = await agentsOf(gateway);
    // The one agent that tests of the gateway always have.
    before.delete("scripted");
    expect([...before.keys()]).toEqual(expect.arrayContaining(["opencode", "claude", "codex", "gemini", "qwen"]));
    expect([...before.values()].every((agent) => !agent.installed && agent.version === null)).toBe(true);

    const program = join(bin.path, "opencode");
    await script(program, "echo 'opencode version 1.2.3-beta.4 (x64)'");
    expect((await agentsOf(gateway)).get("opencode")).toEqual({
      id: "opencode",
      name: "OpenCode",
      installed: true,
      version: "1.2.3-beta.4",
      command: ["opencode", "acp"],
      acceptsEnv: expect.arrayContaining(["OPENCODE_*", "*_API_KEY"]) as string[],
      installable: { package: "opencode-ai", version: "1.18.33" },
      quirks: { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true },
      initialized: null,
    });
    const one = await gateway.get("/v1/agents/opencode");
    expect(await one.json()).toMatchObject({ agent: { installed: true, version: "1.2.3-beta.4" } });

    await rm(program);
    expect((await agentsOf(gateway)).get("opencode")).toMatchObject({
      installed: false,
      version: null,
    });
  });

  test("a version is asked once, and again when the program changes", async () => {
    await using bin = await temporaryFolder();
    const program = join(bin.path, "gemini");
    const runs = join(bin.path, "runs");
    await script(program, `echo run >> ${runs}; echo 1.0.0`);
    await using gateway = await startGateway({ PATH: `${bin.path}:/usr/bin:/bin` });
    const answers = await Promise.all(Array.from({ length: 8 }, () => agentsOf(gateway)));
    expect(answers.map((agents) => agents.get("gemini")?.version)).toEqual(Array(8).fill("1.0.0"));
    expect((await Bun.file(runs).text()).trim().split("\n")).toHaveLength(1);

    await script(program, "echo 20.0.0");
    expect((await agentsOf(gateway)).get("gemini")?.version).toBe("20.0.0");
  });

  test("a program that tells no version takes it from the package it belongs to", async () => {
    await using root = await temporaryFolder();
    const program = join(root.path, "package/dist/index.sh");
    await script(program, "exit 2");
    await writeFile(join(root.path, "package/package.json"), JSON.stringify({ version: "7.8.9", bin: { x: "x" } }));
    await symlink(program, join(root.path, "codex-acp"));
    await using gateway = await startGateway({ PATH: `${root.path}:/usr/bin:/bin` });
    expect((await agentsOf(gateway)).get("codex")).toMatchObject({
      installed: true,
      version: "7.8.9",
    });
  });

  test("a program that fails or cannot run is installed without a version", async () => {
    await using bin = await temporaryFolder();
    await script(join(bin.path, "qwen"), "echo 1.2.3; exit 1");
    await writeFile(join(bin.path, "gemini"), "not a program", { mode: 0o755 });
    await using gateway = await startGateway({ PATH: `${bin.path}:/usr/bin:/bin` });
    const agents = await agentsOf(gateway);
    expect(agents.get("qwen")).toMatchObject({ installed: true, version: null });
    expect(agents.get("gemini")).toMatchObject({ installed: true, version: null });
  });

  test("a question that broke off is asked again after a minute", async () => {
    await using bin = await temporaryFolder();
    await script(join(bin.path, "qwen"), "echo 1.2.3");
    let time = 0;
    let asked = 0;
    const run = async () => {
      asked += 1;
      if (asked === 1) throw new Error("the pipe broke");
      return "1.2.3";
    };
    await using agents = await testManager({
      entries: [entry("qwen", ["qwen"])],
      environment: { PATH: bin.path },
      now: () => time,
      versionProbe: { run, close: () => undefined },
    });
    const { manager } = agents;
    expect(await manager.find("qwen")).toMatchObject({ installed: true, version: null });
    expect(await manager.find("qwen")).toMatchObject({ version: null });
    expect(asked).toBe(1);
    time = 60_000;
    expect(await manager.find("qwen")).toMatchObject({ version: "1.2.3" });
  });

  test("the program sees neither the token nor other variables of the gateway", async () => {
    await using bin = await temporaryFolder();
    const seen = join(bin.path, "seen");
    await script(join(bin.path, "qwen"), `env > ${seen}; echo 1.0.0`);
    await using gateway = await startGateway({
      PATH: `${bin.path}:/usr/bin:/bin`,
      OPENAI_API_KEY: "not-for-everyone",
    });
    await agentsOf(gateway);
    const env = await Bun.file(seen).text();
    expect(env).toContain("PATH=");
    expect(env).not.toContain(TOKEN);
    expect(env).not.toContain("AGENTPOD_");
    expect(env).not.toContain("not-for-everyone");
  });

  test("what a program leaves behind is killed with it", async () => {
    await using bin = await temporaryFolder();
    const pidFile = join(bin.path, "pid");
    await script(join(bin.path, "qwen"), `sleep 600 & echo $! > ${pidFile}; echo 3.0.0`);
    await using gateway = await startGateway({ PATH: `${bin.path}:/usr/bin:/bin` });
    expect((await agentsOf(gateway)).get("qwen")?.version).toBe("3.0.0");
    const pid = Number(await Bun.file(pidFile).text());
    await until(() => !alive(pid));
  });

  test("a program still being asked is killed when the gateway stops", async () => {
    await using bin = await temporaryFolder();
    const pidFile = join(bin.path, "pid");
    await script(join(bin.path, "qwen"), `echo $$ > ${pidFile}; sleep 600`);
    await using gateway = await startGateway({ PATH: `${bin.path}:/usr/bin:/bin` });
    const asked = agentsOf(gateway).catch(() => undefined);
    await until(
      async () =>
        (await Bun.file(pidFile)
          .text()
          .catch(() => "")) !== "",
    );
    const pid = Number(await Bun.file(pidFile).text());
    gateway.child.kill("SIGTERM");
    expect(await gateway.child.exited).toBe(0);
    await until(() => !alive(pid));
    await asked;
  });
});

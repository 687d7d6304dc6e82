import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { loadAgentEntries } from "../../src/agent-registry.ts";
import { acceptsEnvironmentName, childEnvironment } from "../../src/child-environment.ts";
import { temporaryFolder } from "../support/gateway.ts";

async function load(content: { file?: unknown; registry?: unknown }) {
  await using folder = await temporaryFolder();
  const paths = { file: join(folder.path, "agents.json"), registry: join(folder.path, "registry.json") };
  const write = async (path: string, value: unknown) => {
    if (value === undefined) return null;
    await Bun.write(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };
  return await loadAgentEntries({
    file: await write(paths.file, content.file),
    registry: await write(paths.registry, content.registry),
  });
}

const problemsOf = (content: { file?: unknown; registry?: unknown }) =>
  load(content).then(
    () => [],
    (error: { problems: string[] }) => error.problems.map((problem) => problem.replace(/^\S+ /, "")),
  );

describe("the built-in agents", () => {
  test("each has a program, pinned packages and the quirks its sessions need", async () => {
    const entries = await load({});
    expect(entries.map(({ id }) => id)).toEqual(
      "opencode claude codex gemini qwen copilot kimi kilo auggie cline qoder droid goose".split(" "),
    );
    for (const { install, acceptsEnv, quirks } of entries) {
      if (install) expect(install.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(acceptsEnv.length).toBeGreaterThan(0);
      expect(quirks.advertiseFs).toBe(false);
    }
    const gemini = entries.find(({ id }) => id === "gemini");
    expect(gemini?.quirks).toMatchObject({ cancelsOnSecondPrompt: true, loads: false });
  });
});

describe("a file of agents", () => {
  test("adds, changes and removes agents, and what it does not name stays", async () => {
    const before = await load({});
    const entries = await load({
      file: {
        agents: [
          { id: "mine", command: ["my-agent", "--acp"], acceptsEnv: ["MY_*"], quirks: { loads: false } },
          { id: "claude", env: { A: "b" }, quirks: { advertiseFs: true } },
        ],
        remove: ["goose"],
      },
    });
    expect(entries.find(({ id }) => id === "mine")).toEqual({
      id: "mine",
      name: "mine",
      command: ["my-agent", "--acp"],
      env: {},
      acceptsEnv: ["MY_*"],
      process: "session",
      install: null,
      quirks: { advertiseFs: false, cancelsOnSecondPrompt: false, loads: false, resumes: true },
    });
    const claude = before.find(({ id }) => id === "claude");
    expect(entries.find(({ id }) => id === "claude")).toEqual({
      ...claude,
      env: { A: "b" },
      quirks: { ...claude?.quirks, advertiseFs: true },
    } as never);
    expect(entries.some(({ id }) => id === "goose")).toBe(false);
    expect(entries).toHaveLength(before.length);
  });

  test("every problem is told at once, with its place", async () => {
    const problems = await problemsOf({
      file: {
        agents: [
          { id: "Bad Id", command: [] },
          { id: "x", command: ["x"], install: { package: "x; rm -rf /", version: "^1.0.0" }, colour: "red" },
          { id: "y", command: ["y"], acceptsEnv: ["A*B"], env: { "1X": "v" } },
        ],
      },
    });
    expect(problems.map((problem) => problem.split(":")[0])).toEqual([
      "/agents/0/id",
      "/agents/0/command/0",
      "/agents/1/install/package",
      "/agents/1/install/version",
      "/agents/1",
      "/agents/2/env/1X",
      "/agents/2/acceptsEnv/0",
    ]);
    expect(await problemsOf({ file: { agents: [{ id: "new" }], remove: ["nobody"] } })).toEqual([
      "/agents/0/command: new is no known agent; give its command",
      "/remove/0: nobody is no known agent",
    ]);
    expect(await problemsOf({ file: "{", registry: "[]" })).toHaveLength(2);
  });
});

describe("a registry in the public format", () => {
  const REGISTRY = {
    version: "1.0.0",
    agents: [
      {
        id: "packaged",
        name: "P",
        version: "1.2.3",
        description: "d",
        distribution: { npx: { package: "@a/packaged@1.2.3-b.1", args: ["--acp"], env: { X: "1" } } },
      },
      { id: "unpinned", name: "U", version: "latest", distribution: { npx: { package: "unpinned@latest" } } },
      { id: "fallback", name: "F", version: "4.5.6", distribution: { npx: { package: "fallback" } } },
      {
        id: "archived",
        name: "A",
        version: "1.0.0",
        distribution: {
          binary: {
            "linux-x86_64": { archive: "https://x/y.tgz", cmd: "./archived", args: ["acp"] },
            "linux-aarch64": { archive: "https://x/z.tgz", cmd: "./bin/archived", args: ["acp"] },
          },
        },
      },
      {
        id: "pythonic",
        name: "Y",
        version: "1.0.0",
        distribution: { uvx: { package: "pythonic[acp]==1.0", args: ["-v"] } },
      },
      {
        id: "elsewhere",
        name: "E",
        version: "1.0.0",
        distribution: { binary: { "windows-x86_64": { archive: "x", cmd: "e.exe" } } },
      },
      { id: "claude", name: "Other", version: "9.9.9", distribution: { npx: { package: "evil@9.9.9" } } },
      {
        id: "codex-acp",
        name: "Codex again",
        version: "9.9.9",
        distribution: { npx: { package: "@agentclientprotocol/codex-acp@9.9.9" } },
      },
    ],
    extensions: [],
  };

  test("its agents are offered beside the known ones, which stay as they are", async () => {
    const known = await load({});
    const entries = await load({ registry: REGISTRY });
    expect(entries.slice(0, known.length)).toEqual(known);
    const added = entries.slice(known.length).map(({ id, command, install, env }) => ({ id, command, install, env }));
    expect(added).toEqual([
      {
        id: "packaged",
        command: ["packaged", "--acp"],
        install: { package: "@a/packaged", version: "1.2.3-b.1" },
        env: { X: "1" },
      },
      { id: "unpinned", command: ["unpinned"], install: null, env: {} },
      { id: "fallback", command: ["fallback"], install: { package: "fallback", version: "4.5.6" }, env: {} },
      { id: "archived", command: ["archived", "acp"], install: null, env: {} },
      { id: "pythonic", command: ["pythonic", "-v"], install: null, env: {} },
    ]);
  });

  test("it may come from a server, whose failure is told", async () => {
    using server = Bun.serve({
      port: 0,
      fetch: (request) =>
        request.url.endsWith("/registry.json") ? Response.json(REGISTRY) : new Response("no", { status: 503 }),
    });
    const entries = await loadAgentEntries({ file: null, registry: `${server.url.href}registry.json` });
    expect(entries.some(({ id }) => id === "packaged")).toBe(true);
    await expect(loadAgentEntries({ file: null, registry: `${server.url.href}gone` })).rejects.toMatchObject({
      problems: [expect.stringContaining("the server answered 503")],
    });
  });

  test("agents that cannot be read are named", async () => {
    expect(
      await problemsOf({ registry: { agents: [{ id: "UP", name: "n", version: "1", distribution: {} }, 7] } }),
    ).toEqual([expect.stringContaining("/agents/0/id: "), expect.stringContaining("/agents/1/: ")]);
  });
});

describe("variables", () => {
  test("a session sets only what the entry accepts, and never what names a program or is the gateway's", async () => {
    const entry = { acceptsEnv: ["CLAUDE_*", "EXACT", "*"] };
    for (const name of ["CLAUDE_X", "EXACT", "ANY"]) expect(acceptsEnvironmentName(entry, name)).toBe(true);
    const never = [
      "CLAUDE_CODE_EXECUTABLE",
      "CODEX_PATH",
      "LD_PRELOAD",
      "AGENTPOD_GATEWAY_TOKEN",
      "GATEWAY_TOKEN",
      "A B",
      "",
      "A=B",
    ];
    for (const name of never) expect(acceptsEnvironmentName(entry, name)).toBe(false);
    expect(acceptsEnvironmentName({ acceptsEnv: ["EXACT"] }, "EXACTLY")).toBe(false);
    const keys = { acceptsEnv: ["*_API_KEY"] };
    expect(["MY_LLM_API_KEY", "API_KEY", "MY_API_KEY_2"].map((name) => acceptsEnvironmentName(keys, name))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("children of the gateway get listed names only", () => {
    const env = { PATH: "/bin", LC_TIME: "C", PGHOST: "/run", SECRET: "s", AGENTPOD_IMAGE: "i", MY_KEY: "k" };
    expect(childEnvironment(env)).toEqual({ PATH: "/bin", LC_TIME: "C", PGHOST: "/run" });
    const mirror = { NPM_CONFIG_REGISTRY: "https://npm.example.com/", npm_config_registry: "https://npm.example.com/" };
    expect(childEnvironment({ ...mirror, NPM_CONFIG__AUTH: "s" })).toEqual(mirror);
    expect(childEnvironment(env, ["MY_*", "AGENTPOD_*"])).toEqual({
      PATH: "/bin",
      LC_TIME: "C",
      PGHOST: "/run",
      MY_KEY: "k",
    });
  });
});

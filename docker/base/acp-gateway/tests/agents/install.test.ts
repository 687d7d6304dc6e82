import { afterAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder, until } from "../support/gateway.ts";
import { startNpmRegistry } from "../support/npm-registry.ts";
import { alive, entry, script, testManager } from "./support.ts";

const AGENT = `#!/usr/bin/env node
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id } = JSON.parse(line);
  console.log(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion: 1, agentInfo: { name: "tiny" } } }));
});`;

const registry = await startNpmRegistry([
  { name: "@t/tiny-agent", version: "1.0.0", bin: { "tiny-agent": "agent.js" }, files: { "agent.js": AGENT } },
  { name: "@t/tiny-agent", version: "1.1.0", bin: { "tiny-agent": "agent.js" }, files: { "agent.js": AGENT } },
  { name: "other-name", version: "2.0.0", bin: { hello: "agent.js" }, files: { "agent.js": AGENT } },
  { name: "once", version: "1.0.0", bin: { once: "agent.js" }, files: { "agent.js": AGENT } },
  { name: "no-program", version: "1.0.0", files: { "index.js": "" } },
  {
    name: "scripted-install",
    version: "1.0.0",
    bin: { "scripted-install": "agent.js" },
    scripts: { postinstall: "echo ran > postinstall-ran" },
    files: { "agent.js": AGENT },
  },
]);
const home = await temporaryFolder();
afterAll(async () => {
  await registry.stop();
  await home[Symbol.asyncDispose]();
});

const tiny = (version = "1.0.0") => entry("tiny", ["tiny-agent"], { install: { package: "@t/tiny-agent", version } });

function installing(entries: ReturnType<typeof entry>[], change: { PATH?: string; allowed?: boolean } = {}) {
  return testManager({
    entries,
    installAllowed: change.allowed ?? true,
    environment: {
      PATH: change.PATH ?? process.env["PATH"],
      HOME: home.path,
      npm_config_registry: registry.url,
      npm_config_cache: join(home.path, "cache"),
      npm_config_fetch_retries: "0",
    },
  });
}

describe("installing an agent from npm", () => {
  test("it is there at its pinned version, found before PATH, and can be probed", async () => {
    await using agents = await installing([tiny()]);
    expect(await agents.manager.find("tiny")).toMatchObject({
      installed: false,
      version: null,
      installable: { package: "@t/tiny-agent", version: "1.0.0" },
    });
    expect(await agents.manager.install("tiny")).toMatchObject({
      installed: true,
      version: "1.0.0",
      initialized: null,
    });
    expect(await agents.manager.probe("tiny")).toMatchObject({ initialized: { agentInfo: { name: "tiny" } } });
    expect((await agents.manager.find("tiny"))?.initialized).toMatchObject({ protocolVersion: 1 });
    const { argv, env } = await agents.manager.command("tiny");
    expect(argv).toEqual([join(agents.deps.agentsFolder, "tiny/1.0.0/node_modules/.bin/tiny-agent")]);
    expect(env["PATH"]?.startsWith(join(agents.deps.agentsFolder, "tiny/1.0.0/node_modules/.bin:"))).toBe(true);
    expect(agents.manager.running()).toEqual([]);
    expect(await readdir(join(agents.deps.agentsFolder, "tiny"))).toEqual(["1.0.0"]);
  });

  test("calls at the same time are one installation, and a second is none", async () => {
    await using agents = await installing([
      entry("once", ["once"], { install: { package: "once", version: "1.0.0" } }),
    ]);
    await Promise.all([1, 2, 3].map(() => agents.manager.install("once")));
    await agents.manager.install("once");
    expect(registry.downloads("once")).toBe(1);
    expect(agents.logged.filter(({ message }) => message === "installing an agent")).toHaveLength(1);
  });

  test("a program that is not named after its package is found by the package", async () => {
    await using agents = await installing([
      entry("other", ["other-name"], { install: { package: "other-name", version: "2.0.0" } }),
    ]);
    expect(await agents.manager.install("other")).toMatchObject({ installed: true, version: "2.0.0" });
  });

  test("install scripts run only for agents that need them", async () => {
    const install = { package: "scripted-install", version: "1.0.0" };
    await using agents = await installing([
      entry("without", ["scripted-install"], { install }),
      entry("with", ["scripted-install"], { install: { ...install, scripts: true } }),
    ]);
    await agents.manager.install("without");
    await agents.manager.install("with");
    const ran = (id: string) =>
      Bun.file(join(agents.deps.agentsFolder, id, "1.0.0/node_modules/scripted-install/postinstall-ran")).exists();
    expect([await ran("without"), await ran("with")]).toEqual([false, true]);
  });

  test("another release of the registry takes the place once it is installed, and the old one serves till then", async () => {
    await using agents = await installing([tiny()]);
    await agents.manager.install("tiny");
    const { deps } = agents;
    await using newer = await testManager({ ...deps, entries: [tiny("1.1.0")] });
    expect(await newer.manager.find("tiny")).toMatchObject({ installed: true, version: "1.0.0" });
    expect(await newer.manager.install("tiny")).toMatchObject({ version: "1.1.0" });
  });

  test("the old version goes once the new one is there, and nothing that the gateway has not made", async () => {
    await using agents = await installing([tiny()]);
    await agents.manager.install("tiny");
    const folder = join(agents.deps.agentsFolder, "tiny");
    await mkdir(join(folder, "0.9.0-own"));
    await mkdir(join(folder, "1.0.5"));
    await writeFile(join(folder, "1.0.5/package.json"), `{"name":"agent","private":true,"dependencies":{"x":"1.0.4"}}`);
    await symlink(join(folder, "1.0.0"), join(folder, "1.0.6"));
    await writeFile(join(folder, "2024.txt"), "");
    await using newer = await testManager({ ...agents.deps, entries: [tiny("1.1.0")] });
    await newer.manager.install("tiny");
    expect((await readdir(folder)).toSorted()).toEqual(["0.9.0-own", "1.0.5", "1.0.6", "1.1.0", "2024.txt"]);
    expect(agents.logged).toContainEqual({
      message: "removed old versions of an agent",
      fields: { agent: "tiny", versions: ["1.0.0"] },
    });
    await newer.manager.probe("tiny");
  });

  test("a version that a process still uses stays until a later start", async () => {
    await using agents = await installing([tiny()]);
    await agents.manager.install("tiny");
    const folder = join(agents.deps.agentsFolder, "tiny");
    const running = await agents.start("tiny");
    {
      // With data of its own: it would end the agent of an earlier gateway else.
      const dataFolder = join(agents.folder, "other-data");
      await using newer = await testManager({ ...agents.deps, dataFolder, entries: [tiny("1.1.0")] });
      await newer.manager.install("tiny");
      expect((await readdir(folder)).toSorted()).toEqual(["1.0.0", "1.1.0"]);
      expect(alive(running.pid)).toBe(true);
    }
    await running.stop();
    // As a removal and an installation that were killed leave it.
    await mkdir(join(folder, ".old-1/node_modules"), { recursive: true });
    await mkdir(join(folder, ".new-1"));
    await using forbidden = await testManager({ ...agents.deps, entries: [tiny("1.1.0")], installAllowed: false });
    expect(await forbidden.manager.find("tiny")).toMatchObject({ version: "1.1.0" });
    expect(await readdir(folder)).toHaveLength(4);
    await using later = await testManager({ ...agents.deps, entries: [tiny("1.1.0")] });
    await until(async () => (await readdir(folder)).join() === "1.1.0");
    expect(await later.manager.find("tiny")).toMatchObject({ version: "1.1.0" });
  });

  test("the only version there is stays when the registry names another that is not installed", async () => {
    await using agents = await installing([tiny()]);
    await agents.manager.install("tiny");
    const folder = join(agents.deps.agentsFolder, "tiny");
    await mkdir(join(folder, ".old-1"));
    await using later = await testManager({ ...agents.deps, entries: [tiny("1.1.0")] });
    await until(async () => (await readdir(folder)).join() === "1.0.0");
    expect(await later.manager.find("tiny")).toMatchObject({ version: "1.0.0" });
  });

  test("a version that is not whole is put in order by an installation", async () => {
    await using agents = await installing([tiny()]);
    await mkdir(join(agents.deps.agentsFolder, "tiny/1.0.0/node_modules/.bin"), { recursive: true });
    expect(await agents.manager.find("tiny")).toMatchObject({ installed: false });
    expect(await agents.manager.install("tiny")).toMatchObject({ installed: true, version: "1.0.0" });
    expect(await readdir(join(agents.deps.agentsFolder, "tiny"))).toEqual(["1.0.0"]);
  });

  test("it is refused where it is not allowed, not from npm, or the id is unknown", async () => {
    await using agents = await installing([tiny(), entry("plain", ["plain"])], { allowed: false });
    await expect(agents.manager.install("tiny")).rejects.toMatchObject({
      code: "install_not_allowed",
      message: expect.stringMatching(/AGENTPOD_AGENT_INSTALL=1.*SANDBOX_ENV_FILE/),
    });
    await expect(agents.manager.install("../x")).rejects.toMatchObject({ code: "agent_not_found" });
    await using allowed = await installing([entry("plain", ["plain"])]);
    await expect(allowed.manager.install("plain")).rejects.toMatchObject({ code: "not_supported" });
  });

  test("what cannot be installed leaves nothing behind and says why", async () => {
    const missing = { package: "@t/tiny-agent", version: "9.9.9" };
    await using agents = await installing([
      entry("gone", ["gone"], { install: missing }),
      entry("empty", ["no-program"], { install: { package: "no-program", version: "1.0.0" } }),
    ]);
    await expect(agents.manager.install("gone")).rejects.toMatchObject({
      code: "install_failed",
      message: expect.stringContaining("@t/tiny-agent@9.9.9"),
    });
    await expect(agents.manager.install("empty")).rejects.toMatchObject({
      code: "install_failed",
      message: expect.stringContaining("no program called no-program"),
    });
    for (const id of ["gone", "empty"]) expect(await readdir(join(agents.deps.agentsFolder, id))).toEqual([]);
    expect(await agents.manager.find("gone")).toMatchObject({ installed: false });
  });

  test("Node.js that is too old or missing is told before anything is fetched", async () => {
    await using bin = await temporaryFolder();
    const old = { ...tiny(), quirks: { ...tiny().quirks, minimumNode: 22 } };
    await script(join(bin.path, "node"), "echo v20.20.2");
    await script(join(bin.path, "npm"), "echo called > called");
    await using agents = await installing([old], { PATH: bin.path });
    await expect(agents.manager.install("tiny")).rejects.toMatchObject({
      code: "install_failed",
      message: "tiny needs Node.js 22 or later and this is v20.20.2",
    });
    await using none = await installing([tiny()], { PATH: "/nowhere" });
    await expect(none.manager.install("tiny")).rejects.toMatchObject({
      message: expect.stringContaining("node was not found"),
    });
  });

  test("an installation that runs when the gateway ends is ended, with npm's children", async () => {
    await using bin = await temporaryFolder();
    const pidFile = join(bin.path, "pid");
    await script(join(bin.path, "node"), "echo v99.0.0");
    await script(join(bin.path, "npm"), `sleep 600 & echo $! > ${pidFile}; wait`);
    await using agents = await installing([tiny()], { PATH: `${bin.path}:/usr/bin:/bin` });
    const asked = agents.manager.install("tiny").catch((error: unknown) => error);
    await until(async () => (await Bun.file(pidFile).exists()) && (await Bun.file(pidFile).text()) !== "");
    const pid = Number(await Bun.file(pidFile).text());
    await agents.manager.close();
    expect(await asked).toMatchObject({ code: "shutting_down" });
    await until(() => !alive(pid));
  });
});

import { afterAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
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

  test("it is refused where it is not allowed, not from npm, or the id is unknown", async () => {
    await using agents = await installing([tiny(), entry("plain", ["plain"])], { allowed: false });
    await expect(agents.manager.install("tiny")).rejects.toMatchObject({ code: "install_not_allowed" });
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

import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { childEnvironment } from "../child-environment.ts";
import { GatewayError } from "../gateway-error.ts";
import type { AgentEntry, AgentPackage, Environment } from "../types.ts";
import { type Command, runToEnd } from "./command-runner.ts";
import { createOldVersions, NEW } from "./old-versions.ts";
import type { createProgramFinder } from "./program-finder.ts";
import { createRedactor } from "./redactor.ts";

const TOLD_LENGTH = 1500;

type InstallerDeps = {
  agentsFolder: string;
  installAllowed: boolean;
  environment: Environment;
  finder: ReturnType<typeof createProgramFinder>;
  timeoutMs: number;
  log: (message: string, fields?: Record<string, unknown>) => void;
};

/**
 * Installs agents from npm, each release in a folder of its own that appears whole or not at all. Two
 * calls for one agent are one installation; different agents are installed one after the other.
 */
export function createInstaller(deps: InstallerDeps) {
  const { agentsFolder, installAllowed, environment, finder, timeoutMs, log } = deps;
  const running = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const oldVersions = createOldVersions(deps);
  let last: Promise<unknown> = Promise.resolve();

  const env = { ...childEnvironment(environment), ...npmSettings(environment) };
  const redactor = createRedactor(Object.values(npmSettings(environment)).filter((value) => value.length > 7));

  function run(argv: Command["argv"], cwd: string) {
    return runToEnd({ argv, cwd, env, timeoutMs, signal: stop.signal });
  }

  function program(name: string): string {
    const path = Bun.which(name, { PATH: env["PATH"] ?? "" });
    if (path) return path;
    throw new GatewayError(
      "install_failed",
      `${name} was not found on PATH; agents are installed with npm, which needs Node.js`,
    );
  }

  // npm takes an older release without a word where Node.js is too old for the wanted one.
  async function checkNode({ id, quirks }: AgentEntry): Promise<void> {
    const needed = quirks.minimumNode ?? 0;
    const { output } = await run([program("node"), "--version"], agentsFolder);
    const found = Number(/^v(\d+)\./m.exec(output)?.[1] ?? 0);
    if (found >= needed) return;
    throw new GatewayError(
      "install_failed",
      `${id} needs Node.js ${needed} or later and this is ${output.trim() || "none"}`,
    );
  }

  async function npm(folder: string, { package: name, version, scripts }: AgentPackage): Promise<void> {
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "agent", private: true }));
    const flags = ["--no-audit", "--no-fund", "--no-progress", "--omit=dev", "--save-exact", "--loglevel=error"];
    if (!scripts) flags.push("--ignore-scripts");
    const { code, output } = await run(
      [program("npm"), "install", "--prefix", folder, ...flags, `${name}@${version}`],
      folder,
    );
    if (code === 0) return;
    if (stop.signal.aborted)
      throw new GatewayError("shutting_down", "the gateway ends; the installation was broken off");
    const how = code === null ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code}`;
    const said = redactor.redact(output.trim()).slice(-TOLD_LENGTH);
    throw new GatewayError("install_failed", `npm ${how} installing ${name}@${version}: ${said}`);
  }

  async function verify(folder: string, entry: AgentEntry, { package: name, version }: AgentPackage): Promise<void> {
    const manifest: unknown = await Bun.file(join(folder, "node_modules", name, "package.json")).json();
    const got = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "none";
    if (got !== version)
      throw new GatewayError("install_failed", `npm installed ${name} ${String(got)} instead of ${version}`);
    if (await finder.programIn(folder, entry)) return;
    throw new GatewayError("install_failed", `${name}@${version} brings no program called ${entry.command[0]}`);
  }

  async function installNow(entry: AgentEntry, wanted: AgentPackage): Promise<void> {
    const home = join(agentsFolder, entry.id);
    if (stop.signal.aborted) throw new GatewayError("shutting_down", "the gateway ends; nothing is installed");
    await mkdir(home, { recursive: true, mode: 0o700 });
    await oldVersions.removeRemains(entry.id);
    await checkNode(entry);
    const folder = join(home, `${NEW}${crypto.randomUUID()}`);
    await mkdir(folder, { mode: 0o700 });
    const startedAt = performance.now();
    log("installing an agent", { agent: entry.id, package: wanted.package, version: wanted.version });
    try {
      await npm(folder, wanted);
      await verify(folder, entry, wanted);
      const place = join(home, wanted.version);
      // What is there of this version is not whole, or nothing would be installed.
      if (await stat(place).catch(() => null)) await oldVersions.discard(entry.id, wanted.version);
      await rename(folder, place);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    log("installed an agent", { agent: entry.id, seconds: Math.round((performance.now() - startedAt) / 1000) });
    await removeOld(entry, wanted.version);
  }

  /** What cannot be removed is no reason to refuse anything: the next start tries again. */
  async function removeOld({ id }: AgentEntry, kept: string): Promise<void> {
    try {
      await oldVersions.removeOthers(id, kept);
    } catch (error) {
      log("old versions of an agent cannot be removed", { agent: id, reason: String(error) });
    }
  }

  async function tidyOne(entry: AgentEntry): Promise<void> {
    try {
      await oldVersions.removeRemains(entry.id);
      const { version } = entry.install ?? {};
      if (version !== undefined && (await finder.installed(entry, version))) await removeOld(entry, version);
    } catch (error) {
      log("what an installation left cannot be removed", { agent: entry.id, reason: String(error) });
    }
  }

  async function attempt(entry: AgentEntry, wanted: AgentPackage): Promise<void> {
    try {
      await installNow(entry, wanted);
    } catch (error) {
      const reason = redactor.redact(error instanceof Error ? error.message : String(error));
      log("an agent could not be installed", { agent: entry.id, reason });
      throw error instanceof GatewayError ? error : new GatewayError("install_failed", `${entry.id}: ${reason}`);
    }
  }

  return {
    /** @throws GatewayError install_not_allowed, not_supported, install_failed */
    async install(entry: AgentEntry): Promise<void> {
      const wanted = entry.install;
      if (!installAllowed) {
        throw new GatewayError(
          "install_not_allowed",
          "set AGENTPOD_AGENT_INSTALL=1 for the gateway to allow it; for a sandbox of the AgentPod API, put that line into the file that the API's SANDBOX_ENV_FILE names, start the API again, then the sandbox",
        );
      }
      if (!wanted)
        throw new GatewayError("not_supported", `${entry.id} does not come from npm; put ${entry.command[0]} on PATH`);
      if (await finder.installed(entry, wanted.version)) return;
      const found = running.get(entry.id);
      if (found) return found;
      const started = last.then(() => attempt(entry, wanted)).finally(() => running.delete(entry.id));
      last = started.catch(() => undefined);
      running.set(entry.id, started);
      return started;
    },

    /** Removes what earlier gateways have left of these agents. Where nothing may be installed the folder is another's. */
    tidy(entries: readonly AgentEntry[]): void {
      if (!installAllowed) return;
      last = Promise.all(entries.map(tidyOne));
    },

    /** Ends what is being installed; nothing of it stays. */
    close: () => stop.abort(),
  };
}

/** The user's own settings of npm: registry, proxy, certificates, logins. */
function npmSettings(environment: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && name.toLowerCase().startsWith("npm_config_")) found[name] = value;
  }
  return found;
}

import { createAgentPool } from "./agents/agent-pool.ts";
import { authenticationOf } from "./agents/agent-credentials.ts";
import { createCounters } from "./agents/counters.ts";
import type { FailureTiming } from "./agents/failure-guard.ts";
import { createInstaller } from "./agents/installer.ts";
import { createLauncher } from "./agents/launcher.ts";
import { createMemoryWatch } from "./agents/memory-watch.ts";
import { createProgramFinder } from "./agents/program-finder.ts";
import { startRawAgent } from "./agents/raw-agent.ts";
import { createVersionCache } from "./agents/version-cache.ts";
import { acceptsEnvironmentName, childEnvironment } from "./child-environment.ts";
import { GatewayError } from "./gateway-error.ts";
import type { AgentEntry, AgentManager, AgentOutline, AgentReport, Environment } from "./types.ts";
import { createVersionProbe } from "./version-probe.ts";
import type { JsonObject } from "./wire/index.ts";

type Timing = FailureTiming & { startMs: number; graceMs: number; memoryLookMs: number; installMs: number };

const TIMING: Timing = {
  startMs: 60_000,
  graceMs: 3000,
  backoffMs: [500, 30_000],
  failuresMax: 5,
  windowMs: 60_000,
  openMs: 30_000,
  memoryLookMs: 5000,
  installMs: 15 * 60_000,
};

export type AgentManagerDeps = {
  entries: readonly AgentEntry[];
  /** The gateway's own. What a child gets of it is decided here. */
  environment: Environment;
  /** Of processes.json. */
  dataFolder: string;
  /** Where agents are installed. */
  agentsFolder: string;
  /** Where an agent is probed. */
  workspace: string;
  installAllowed: boolean;
  /** The gateway's version, which agents are told. */
  version: string;
  limits: { processes: number; lineBytes: number; stdinBytes?: number };
  /** What one agent's processes may use together; null is without limit. */
  memoryBytesMax: number | null;
  /** Waited for between two chunks of an agent's output. */
  room: () => Promise<void>;
  log: (message: string, fields?: Record<string, unknown>) => void;
  now: () => number;
  timing?: Partial<Timing>;
  versionProbe?: ReturnType<typeof createVersionProbe>;
};

const STDIN_BYTES = 64 * 1024 * 1024;

/**
 * Says which agents are here, runs them and installs them. What an earlier gateway left running is
 * ended first. PATH is searched on every call, so an agent installed meanwhile is seen.
 */
export function createAgentManager(deps: AgentManagerDeps): AgentManager {
  const { entries, environment, limits, now } = deps;
  const timing = { ...TIMING, ...deps.timing };
  const env = childEnvironment(environment);
  const probe = deps.versionProbe ?? createVersionProbe({ env });
  const versionOf = createVersionCache({ probe, now });
  const counters = createCounters();
  const initialized = new Map<string, JsonObject>();
  const finder = createProgramFinder({ agentsFolder: deps.agentsFolder, path: env["PATH"] ?? "" });
  const launcher = createLauncher({
    ...deps,
    ...timing,
    finder,
    counters,
    limits: { stdinBytes: STDIN_BYTES, ...limits },
  });
  const memory = createMemoryWatch({ bytesMax: deps.memoryBytesMax, live: launcher.live, lookMs: timing.memoryLookMs });
  const installer = createInstaller({ ...deps, finder, timeoutMs: timing.installMs });
  const pool = createAgentPool({
    ...deps,
    launcher,
    counters,
    startMs: timing.startMs,
    failures: timing,
    onInitialized: (id, result) => initialized.set(id, result),
  });
  let closing = false;
  launcher.reap();
  installer.tidy(entries);

  function known(id: string): AgentEntry {
    const entry = entries.find((candidate) => candidate.id === id);
    if (!entry) throw new GatewayError("agent_not_found", `no agent is called ${id}; GET /v1/agents lists them`);
    return entry;
  }

  /** The entry of an agent that may be run now with these variables. */
  function runnable(id: string, variables: Readonly<Record<string, string>>): AgentEntry {
    if (closing) throw new GatewayError("shutting_down", "the gateway ends; start nothing");
    const entry = known(id);
    const errors = Object.keys(variables)
      .filter((name) => !acceptsEnvironmentName(entry, name))
      .map((name) => ({
        path: `/env/${name}`,
        code: "not_accepted",
        message: `${id} is not given ${name}`,
        fix: `use one of ${entry.acceptsEnv.join(", ") || "none"}`,
      }));
    if (errors.length > 0) throw new GatewayError("invalid_request", "a variable is not accepted", { errors });
    return entry;
  }

  async function report(entry: AgentEntry): Promise<AgentReport> {
    const { id, name, command, acceptsEnv, install, quirks } = entry;
    const program = await finder.find(entry);
    return {
      id,
      name,
      installed: program !== null,
      version: program && (program.version ?? (await versionOf(program.path))),
      command: [...command],
      acceptsEnv: [...acceptsEnv],
      installable: install && { package: install.package, version: install.version },
      quirks,
      initialized: initialized.get(id) ?? null,
    };
  }

  async function outline(entry: AgentEntry): Promise<AgentOutline> {
    const program = await finder.find(entry);
    return { id: entry.id, installed: program !== null, initialized: initialized.get(entry.id) ?? null };
  }

  const manager: AgentManager = {
    list: () => Promise.all(entries.map(report)),
    outline: () => Promise.all(entries.map(outline)),
    entry: (id) => entries.find((candidate) => candidate.id === id),
    command: async (id, variables = {}) => launcher.command(runnable(id, variables), variables),
    authentication: (id, variables) => authenticationOf(known(id), environment, variables),
    counters: () => ({ ...counters }),

    async find(id) {
      const entry = manager.entry(id);
      return entry && report(entry);
    },

    async start(options) {
      const entry = runnable(options.agentId, options.env);
      memory.begin();
      return pool.start(entry, options);
    },

    async startRaw(options, handlers) {
      const entry = runnable(options.agentId, options.env);
      pool.guardOf(entry.id).check();
      memory.begin();
      return startRawAgent({ launcher, entry, options, handlers });
    },

    async probe(id) {
      const key = `probe ${crypto.randomUUID()}`;
      const agent = await manager.start({ agentId: id, key, cwd: deps.workspace, env: {} });
      await agent.stop();
      return report(known(id));
    },

    async install(id) {
      await installer.install(runnable(id, {}));
      return report(known(id));
    },

    running: () =>
      launcher.live().map(({ agentId, key, startedAt, process: { pid } }) => ({
        agentId,
        key,
        pid,
        startedAt,
        rssBytes: memory.used(pid),
      })),

    async close() {
      closing = true;
      memory.close();
      probe.close();
      installer.close();
      await launcher.close();
    },
  };
  return manager;
}

import { GatewayError } from "../gateway-error.ts";
import { childEnvironment } from "../child-environment.ts";
import type { AgentCommand, AgentEntry, Environment, StartAgent } from "../types.ts";
import { agentEnvironment } from "./agent-credentials.ts";
import { type AgentProcess, type ProcessLimits, startAgentProcess } from "./agent-process.ts";
import type { AgentCounters } from "./counters.ts";
import { mendFolders } from "./mend-folders.ts";
import { createProcessFile, MARK_VARIABLE } from "./process-file.ts";
import type { createProgramFinder } from "./program-finder.ts";
import { createRedactor, type Redactor } from "./redactor.ts";

export type Launched = {
  agentId: string;
  key: string;
  startedAt: string;
  process: AgentProcess;
  redactor: Redactor;
};

type LauncherDeps = {
  /** The gateway's own. */
  environment: Environment;
  workspace: string;
  dataFolder: string;
  finder: ReturnType<typeof createProgramFinder>;
  limits: ProcessLimits & { processes: number };
  graceMs: number;
  counters: AgentCounters;
  room: () => Promise<void>;
  log: (message: string, fields?: Record<string, unknown>) => void;
};

/** Starts agents' processes, and knows which run. */
export function createLauncher(deps: LauncherDeps) {
  const { environment, workspace, finder, limits, graceMs, counters, room, log } = deps;
  const file = createProcessFile(deps);
  const live = new Set<Launched>();
  let closed = false;

  async function command(entry: AgentEntry, env: Readonly<Record<string, string>>): Promise<AgentCommand> {
    const program = await finder.find(entry);
    if (!program) {
      const how = entry.install ? `install it with POST /v1/agents/${entry.id}/install, or put` : "put";
      throw new GatewayError("agent_not_installed", `${entry.command[0]} was not found; ${how} it on PATH`);
    }
    const all = agentEnvironment(entry, environment, env);
    mendFolders({ home: all["HOME"], workspace });
    const path = all["PATH"] ?? "";
    if (program.binFolder !== null) all["PATH"] = path === "" ? program.binFolder : `${program.binFolder}:${path}`;
    return { argv: [program.path, ...entry.command.slice(1)], env: all };
  }

  function spawn(
    entry: AgentEntry,
    { argv, env }: AgentCommand,
    options: StartAgent,
    onBlock: (block: string) => void,
  ) {
    const mark = crypto.randomUUID();
    const { cwd } = options;
    const redactor = createRedactor(
      secretsOf(env, { open: { ...childEnvironment(environment), ...entry.env }, given: options.env }),
    );
    try {
      const marked = { ...env, [MARK_VARIABLE]: mark };
      const process = startAgentProcess({ argv, cwd, env: marked, redactor, limits, graceMs, room, onBlock });
      return { mark, redactor, process };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new GatewayError("agent_exited", `${entry.id} cannot be run in ${cwd}: ${redactor.redact(reason)}`);
    }
  }

  async function launch(entry: AgentEntry, options: StartAgent, onBlock: (block: string) => void): Promise<Launched> {
    const found = await command(entry, options.env);
    options.signal?.throwIfAborted();
    if (live.size >= limits.processes) {
      const fix = "close a session or raise the limit";
      throw new GatewayError("too_many_processes", `${limits.processes} agent processes run already; ${fix}`);
    }
    if (closed) throw new GatewayError("shutting_down", "the gateway ends; nothing is started");
    const { mark, redactor, process } = spawn(entry, found, options, onBlock);
    const startedAt = new Date().toISOString();
    const launched: Launched = { agentId: entry.id, key: options.key, startedAt, process, redactor };
    live.add(launched);
    counters.processesStarted += 1;
    void process.exited.then(() => live.delete(launched));
    void process.gone.then(() => file.remove(process.pid));
    try {
      file.add(process.pid, mark);
    } catch (error) {
      // Unwritten it could outlive the gateway with nobody to know of it.
      await process.kill();
      const reason = error instanceof Error ? error.message : String(error);
      throw new GatewayError("storage_full", `processes.json cannot be written: ${reason}`);
    }
    return launched;
  }

  return {
    command,
    launch,
    live: (): readonly Launched[] => [...live],
    /** Ends every process, and lets none start. */
    async close(): Promise<void> {
      closed = true;
      await Promise.all([...live].map(({ process }) => Promise.all([process.stop(), process.gone])));
    },

    /** Ends what an earlier gateway left behind. */
    reap: () => {
      try {
        file.reap();
      } catch (error) {
        log("agents of an earlier gateway could not be looked for", { reason: String(error) });
      }
    },
  };
}

/** Values that stand in no log and no answer: what a session gave, and what only this agent may have. */
function secretsOf(
  env: Readonly<Record<string, string>>,
  { open, given }: { open: Readonly<Record<string, string>>; given: Readonly<Record<string, string>> },
): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name in given || !(name in open) || SECRET_NAME.test(name) || SECRET_URL.test(value))
    .map(([, value]) => value);
}

const SECRET_NAME = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i;
const SECRET_URL = /:\/\/[^/]*@/;

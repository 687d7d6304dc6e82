import { childEnvironment } from "../child-environment.ts";
import type { FileHandler } from "../file-handler.ts";
import { anchorOf } from "../files/anchor.ts";
import { GatewayError } from "../gateway-error.ts";
import type { AgentManager, Environment, Limits } from "../types.ts";
import type { NewTerminal, Terminal } from "../wire/index.ts";
import { programOf } from "./terminal-program.ts";
import { type RunningTerminal, startTerminal } from "./terminal.ts";

const SCROLLBACK_BYTES = 1024 * 1024;
const STALL_MS = 60_000;
/** How many that have ended can still be looked at. */
const ENDED_MAX = 16;

type TerminalManagerDeps = {
  /** The gateway's variables, of which programs get the few that children may have. */
  environment: Environment;
  files: Pick<FileHandler, "openFolder">;
  agents: Pick<AgentManager, "find" | "probe" | "command">;
  limits: Pick<Limits, "terminals">;
  now: () => number;
  /** For tests. */
  scrollbackBytes?: number;
  stallMs?: number;
};

export type TerminalManager = ReturnType<typeof createTerminalManager>;

/** The terminals of the sandbox. Each runs until it is removed, its program ends, or the gateway stops. */
export function createTerminalManager(deps: TerminalManagerDeps) {
  const { environment, files, agents, limits, now, scrollbackBytes = SCROLLBACK_BYTES, stallMs = STALL_MS } = deps;
  const terminals = new Map<string, RunningTerminal>();
  let starting = 0;
  let isClosing = false;

  const running = () => [...terminals.values()].filter((terminal) => terminal.isRunning());

  function find(id: string): RunningTerminal {
    const terminal = terminals.get(id);
    if (terminal) return terminal;
    throw new GatewayError("terminal_not_found", "no such terminal; GET /v1/terminals lists them");
  }

  function forgetEnded(): void {
    const ended = [...terminals.values()].filter((terminal) => !terminal.isRunning());
    for (const { id } of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) terminals.delete(id);
  }

  async function start(input: NewTerminal): Promise<Terminal> {
    const env = childEnvironment(environment);
    const program = await programOf(input, { agents, env });
    using folder = files.openFolder(input.cwd ?? ".");
    // The gateway may have begun to stop while an agent was asked.
    if (isClosing) throw new GatewayError("shutting_down", "the gateway is shutting down");
    const id = `ter_${Bun.randomUUIDv7().replaceAll("-", "")}`;
    const cwd = { path: folder.path, place: anchorOf(folder.fd) };
    const terminal = startTerminal({ id, input, program, env, cwd, scrollbackBytes, stallMs, now });
    terminals.set(id, terminal);
    void terminal.ended.then(forgetEnded);
    return terminal.describe();
  }

  return {
    /** @throws GatewayError too_many_terminals, path_not_allowed, file_not_found, and those of `programOf` */
    async create(input: NewTerminal): Promise<Terminal> {
      if (running().length + starting >= limits.terminals) {
        throw new GatewayError("too_many_terminals", `${limits.terminals} terminals are open; remove one first`);
      }
      starting += 1;
      try {
        return await start(input);
      } finally {
        starting -= 1;
      }
    },

    find,
    list: (): Terminal[] => [...terminals.values()].map((terminal) => terminal.describe()),

    /** Ends it with all that it started, and forgets it. */
    async remove(id: string): Promise<void> {
      const terminal = find(id);
      await terminal.stop();
      terminals.delete(id);
    },

    openCount: (): number => running().length,

    /** Ends all of them. */
    async close(): Promise<void> {
      isClosing = true;
      await Promise.all([...terminals.values()].map((terminal) => terminal.stop()));
      terminals.clear();
    },
  };
}

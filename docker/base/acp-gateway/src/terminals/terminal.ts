import { codeOf } from "../files/failure.ts";
import { GatewayError } from "../gateway-error.ts";
import type { NewTerminal, Terminal } from "../wire/index.ts";
import { endSession, killSession } from "./process-session.ts";
import { createScrollback } from "./scrollback.ts";
import type { Program } from "./terminal-program.ts";
import { createViewer, type Viewer, type ViewerSocket } from "./viewer.ts";

const VIEWERS_MAX = 32;
const WAITING_INPUT_BYTES_MAX = 1024 * 1024;
/** How long output may still come after the program has ended; others may hold the terminal open for ever. */
const LAST_OUTPUT_MS = 250;

export type RunningTerminal = ReturnType<typeof startTerminal>;

type TerminalDeps = {
  id: string;
  input: NewTerminal;
  program: Program;
  env: Record<string, string>;
  /** `path` is shown; `place` means the folder even when it was replaced meanwhile. */
  cwd: { path: string; place: string };
  scrollbackBytes: number;
  stallMs: number;
  now: () => number;
};

/** Starts a program on a pseudo-terminal of its own, as the leader of a session of its own. */
export function startTerminal({ id, input, program, env, cwd, scrollbackBytes, stallMs, now }: TerminalDeps) {
  const scrollback = createScrollback(scrollbackBytes);
  const viewers = new Set<Viewer>();
  const createdAt = new Date(now()).toISOString();
  let { columns, rows } = input;
  let exit: Pick<Terminal, "exitCode" | "signal" | "exitedAt"> | undefined;
  let waitingInput = 0;
  const closed = Promise.withResolvers<void>();

  const child = spawn(program.argv, {
    cwd: cwd.place,
    env: { LANG: "C.UTF-8", ...env, ...program.env, TERM: "xterm-256color", COLORTERM: "truecolor", PWD: cwd.path },
    terminal: {
      cols: columns,
      rows,
      data(_, bytes) {
        scrollback.push(bytes);
        for (const viewer of viewers) viewer.pump();
      },
      drain: () => void (waitingInput = 0),
      exit: () => closed.resolve(),
    },
  });
  const { terminal: pty } = child;
  if (!pty) throw new GatewayError("internal", "this system has no pseudo-terminals");

  async function watch(): Promise<void> {
    await child.exited;
    await Promise.race([closed.promise, Bun.sleep(LAST_OUTPUT_MS)]);
    const { exitCode, signalCode } = child;
    const signal = signalCode === null ? null : String(signalCode);
    exit = { exitCode, signal, exitedAt: new Date(now()).toISOString() };
    pty?.close();
    for (const viewer of viewers) viewer.end({ type: "exit", exitCode, signal });
  }

  function resize(to: { columns: number; rows: number }): void {
    if (exit) return;
    ({ columns, rows } = to);
    pty?.resize(columns, rows);
    for (const viewer of viewers) viewer.tell({ type: "resize", columns, rows });
  }

  function describe(): Terminal {
    return {
      id,
      title: input.title ?? null,
      command: program.argv,
      agent: input.agent ?? null,
      authMethodId: input.authMethodId ?? null,
      cwd: cwd.path,
      columns,
      rows,
      status: exit ? "exited" : "running",
      pid: child.pid,
      exitCode: null,
      signal: null,
      viewers: viewers.size,
      outputBytes: scrollback.end(),
      createdAt,
      exitedAt: null,
      ...exit,
    };
  }

  return {
    id,
    describe,
    resize,
    ended: watch(),
    isRunning: () => exit === undefined,

    /** Shows it to one more, from a byte of all output on. @throws GatewayError too_many_readers */
    attach(socket: ViewerSocket, after: number): Viewer {
      if (viewers.size >= VIEWERS_MAX) {
        throw new GatewayError("too_many_readers", `${VIEWERS_MAX} watch this terminal already`);
      }
      const viewer = createViewer({ socket, scrollback, after, stallMs });
      viewers.add(viewer);
      viewer.tell({ type: "ready", terminal: describe(), offset: viewer.offset });
      viewer.pump();
      if (exit) viewer.end({ type: "exit", exitCode: exit.exitCode, signal: exit.signal });
      return viewer;
    },

    detach(viewer: Viewer): void {
      viewers.delete(viewer);
      viewer.gone();
    },

    /** Input for the program; false when it reads none and enough waits. */
    write(bytes: Uint8Array | string): boolean {
      if (exit || bytes.length === 0) return true;
      if (waitingInput + bytes.length > WAITING_INPUT_BYTES_MAX) return false;
      waitingInput += pty.write(bytes);
      return true;
    },

    /** Ends the program and all it started in its session. */
    async stop(): Promise<void> {
      if (!exit) await endSession(child.pid, child.exited);
      for (const viewer of viewers) viewer.close(1000, "the terminal was removed");
    },

    kill(): void {
      if (!exit) killSession(child.pid);
    },
  };
}

function spawn(argv: Program["argv"], options: Bun.Spawn.SpawnOptions<"ignore", "ignore", "ignore">) {
  try {
    return Bun.spawn(argv, options);
  } catch (error) {
    const code = codeOf(error) || "unknown error";
    throw new GatewayError("invalid_request", `${JSON.stringify(argv[0])} cannot be started there: ${code}`);
  }
}

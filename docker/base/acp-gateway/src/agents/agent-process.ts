import type { ErrorCode } from "../gateway-error.ts";
import type { AgentExit } from "../types.ts";
import { createLineSplitter } from "./line-splitter.ts";
import { createLineWriter } from "./line-writer.ts";
import { signalGroup } from "./proc.ts";
import type { Redactor } from "./redactor.ts";
import { createStderrTail } from "./stderr-tail.ts";

/** What a process wrote before its end is read until nothing came for the first, and at most for the second. */
const LAST_WORDS_MS = 100;
const LAST_WORDS_MAX_MS = 400;
/** The most that a log which is behind may hold up the news of an end. */
const ROOM_MAX_MS = 10_000;
const GROUP_LOOK_MS = 20;

export type ProcessLimits = {
  /** Longest line on stdout. */
  lineBytes: number;
  /** What may wait to be read by the process. */
  stdinBytes: number;
};

type AgentProcessDeps = {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  redactor: Redactor;
  limits: ProcessLimits;
  /** Between EOF and SIGTERM, and between that and SIGKILL. */
  graceMs: number;
  /** Waited for between two chunks of stdout. */
  room: () => Promise<void>;
  /** Whole lines, each with its "\n". */
  onBlock: (block: string) => void;
};

export type AgentProcess = ReturnType<typeof startAgentProcess>;

/**
 * Runs a program as a process group of its own. However it ends, the whole group is ended with it.
 * @throws when the program cannot be run
 */
export function startAgentProcess({ argv, cwd, env, redactor, limits, graceMs, room, onBlock }: AgentProcessDeps) {
  const child = Bun.spawn([...argv], { cwd, env, detached: true, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const { pid } = child;
  const tail = createStderrTail(redactor);
  const ended = Promise.withResolvers<AgentExit>();
  const gone = Promise.withResolvers<void>();
  let asked = false;
  let reason: string | undefined;
  let errorCode: ErrorCode = "agent_exited";
  let stopping = false;
  let over = false;
  let chunks = 0;
  let waitsForRoom = false;
  let paused: PromiseWithResolvers<void> | null = null;

  const writer = createLineWriter({
    sink: child.stdin,
    maxBytes: limits.stdinBytes,
    onStalled: () => end(`it did not read ${limits.stdinBytes} bytes that waited for it`, "agent_timeout"),
  });
  const splitter = createLineSplitter({
    maxBytes: limits.lineBytes,
    onBlock: (block) => over || onBlock(block),
    onTooLong: () => end(`it wrote a line of more than ${limits.lineBytes} bytes`, "agent_protocol"),
  });

  async function readOutput(): Promise<void> {
    for await (const chunk of child.stdout) {
      chunks += 1;
      splitter.push(chunk);
      giveBack(chunk);
      if (paused) await paused.promise;
      waitsForRoom = true;
      await room();
      waitsForRoom = false;
    }
  }

  async function readErrors(): Promise<void> {
    for await (const chunk of child.stderr) tail.push(chunk);
  }

  async function follow(): Promise<void> {
    const output = readOutput().catch(() => undefined);
    const errors = readErrors().catch(() => undefined);
    // Without its stdout an agent is of no use, though it may not know that.
    void output.then(() => Promise.race([child.exited, Bun.sleep(graceMs)])).then(stopGroup);
    await child.exited;
    paused?.resolve();
    // What a launcher that crashed has left behind must not answer as if nothing had happened.
    if (!asked && child.signalCode !== null) signalGroup(pid, "SIGKILL");
    void stopGroup();
    await lastWords(Promise.all([output, errors]));
    over = true;
    writer.close();
    const exit: AgentExit = {
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
      stderrTail: tail.text(),
      asked,
    };
    if (reason !== undefined) exit.reason = reason;
    ended.resolve(exit);
  }

  /** A grandchild may hold the pipes open long after the process has ended. */
  async function lastWords(read: Promise<unknown>): Promise<void> {
    const all = read.then(() => "all" as const);
    const start = performance.now();
    let before = -1;
    const mayCome = () =>
      performance.now() - start < (waitsForRoom ? ROOM_MAX_MS : LAST_WORDS_MAX_MS) &&
      (waitsForRoom || before !== chunks);
    while (mayCome()) {
      before = chunks;
      if ((await Promise.race([all, Bun.sleep(LAST_WORDS_MS)])) === "all") return;
    }
  }

  /** Ends it against its will, and says why. */
  function end(why: string, code: ErrorCode = "agent_exited"): void {
    if (reason === undefined) errorCode = code;
    reason ??= why;
    signalGroup(pid, "SIGKILL");
  }

  async function groupEnds(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (signalGroup(pid, 0)) {
      if (performance.now() > deadline) return false;
      await Bun.sleep(GROUP_LOOK_MS);
    }
    return true;
  }

  async function stopGroup(): Promise<void> {
    if (stopping) return;
    stopping = true;
    writer.close();
    if (child.exitCode === null && child.signalCode === null) await Promise.race([child.exited, Bun.sleep(graceMs)]);
    signalGroup(pid, "SIGTERM");
    if (!(await groupEnds(graceMs))) {
      signalGroup(pid, "SIGKILL");
      // Ended members may stay as zombies where nobody collects them; they hold nothing.
      await groupEnds(graceMs);
    }
    gone.resolve();
  }

  void follow();

  return {
    pid,
    send: (line: string) => writer.send(line),
    /** The process itself has ended and what it wrote is read. */
    exited: ended.promise,
    /** Nothing of its group runs any more. */
    gone: gone.promise,
    end,
    /** What its end is for those who wait for an answer. */
    errorCode: () => errorCode,

    pause(): void {
      paused ??= Promise.withResolvers<void>();
    },

    resume(): void {
      paused?.resolve();
      paused = null;
    },

    /** EOF, then SIGTERM, then SIGKILL of the group. */
    stop(): Promise<AgentExit> {
      asked = true;
      paused?.resolve();
      void stopGroup();
      return ended.promise;
    },

    kill(): Promise<AgentExit> {
      asked = true;
      signalGroup(pid, "SIGKILL");
      return ended.promise;
    },
  };
}

/** Frees its memory now, not at some collection. Where the reader of the pipe may still write into the rest, it stays. */
function giveBack({ buffer, byteLength }: Uint8Array<ArrayBuffer>): void {
  if (byteLength === buffer.byteLength) buffer.transfer(0);
}

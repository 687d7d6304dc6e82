import { RuntimeError } from "../runtime.ts";
import type { ProcessEnder } from "./end-processes.ts";
import type { ProcessTable } from "./process-table.ts";

/** What git says at its end is enough to tell what went wrong. */
const STDERR_LENGTH_MAX = 8 * 1024;

export interface RunGitOptions {
  /** The program's path. */
  git: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Runs git in a group of its own, which is ended as a whole when time is up or `signal` aborts. */
export function createGitRunner({ table, ender }: { table: ProcessTable; ender: ProcessEnder }) {
  /** @throws RuntimeError `source_clone_failed` when it took too long, `timeout` on abort */
  return async function runGit(options: RunGitOptions): Promise<{ ok: boolean; stderr: string }> {
    const { git, args, cwd, env, timeoutMs, signal } = options;
    const child = Bun.spawn([git, ...args], {
      cwd,
      env,
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const identity = await table.identify(child.pid);
    const stop = Promise.withResolvers<"aborted" | "late">();
    const onAbort = () => stop.resolve("aborted");
    const timer = setTimeout(() => stop.resolve("late"), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const ended = Promise.all([child.exited, readEnd(child.stderr)]);
      const outcome = await Promise.race([ended, stop.promise]);
      if (typeof outcome !== "string") return { ok: outcome[0] === 0, stderr: outcome[1] };
      if (identity !== null) await ender.endGroup({ pid: child.pid, identity });
      if (outcome === "aborted") throw new RuntimeError("timeout", "cloning was ended", { cause: signal.reason });
      throw new RuntimeError("source_clone_failed", `cloning took longer than ${Math.ceil(timeoutMs / 1000)} s`);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  };
}

async function readEnd(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) text = (text + decoder.decode(bytes, { stream: true })).slice(-STDERR_LENGTH_MAX);
  return text;
}

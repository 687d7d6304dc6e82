import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awaitHealth } from "../support/await-health.ts";
import { freePorts } from "../support/free-ports.ts";

/** Ticks of the clock in /proc: the same on every Linux. */
const TICKS_PER_SECOND = 100;

export type Started = AsyncDisposable & { pid: number; port: number; startMs: number };

type Options = {
  /** With the port that it is to listen on. */
  command: (port: number) => readonly string[];
  env: (port: number) => Record<string, string>;
  cwd: string;
  /** Where it answers once it is there. */
  health: string;
  signal: AbortSignal;
};

/** Starts a server and asks for `health` until it answers. Disposing stops it. */
export async function startProcess({ command, env, cwd, health, signal }: Options): Promise<Started> {
  const [port = 0] = freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), "agentpod-bench-log-"));
  const log = openSync(join(folder, "log"), "w");
  const startedAt = performance.now();
  const child = Bun.spawn([...command(port)], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env(port) },
    stdin: "ignore",
    stdout: log,
    stderr: log,
    // Ctrl-C reaches the benchmark alone, which still needs its servers to clean up.
    detached: true,
  });
  closeSync(log);
  const said = () => readFileSync(join(folder, "log"), "utf8").slice(-2000);
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), 10_000);
    await child.exited;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ended = child.exited.then((code) => {
      throw new Error(`it ended with ${code} at its start:\n${said()}`);
    });
    await Promise.race([awaitHealth(`http://127.0.0.1:${port}${health}`, signal), ended]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid, port, startMs: performance.now() - startedAt, [Symbol.asyncDispose]: stop };
}

/** What all threads of a process have used of the CPUs, in ms. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}

/** In MB: `VmRSS` is what a process has now, `VmHWM` the most it has had. */
export function memoryMb(pid: number, which: "VmRSS" | "VmHWM"): number {
  const kb = new RegExp(`^${which}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1024;
}

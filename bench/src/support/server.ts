import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pinned } from "./cpus.ts";

const repoRoot = resolve(import.meta.dir, "../../..");
const LISTEN_TIMEOUT_MS = 60_000;

export interface Server extends AsyncDisposable {
  url: string;
  pid: number;
}

export interface ServerOptions {
  /** A script in the repository, and its arguments. */
  command: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** The CPU it is kept on; any when absent. */
  cpu?: number | undefined;
}

/**
 * Starts a server as a child and waits for its log line that says `listening` and has its `url`.
 * The log goes to a file, which costs the measured process as little as it can. Disposing stops it.
 */
export async function startServer({ command, env = {}, cpu }: ServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-bench-log-"));
  const logFile = join(folder, "log");
  const log = openSync(logFile, "w");
  const child = Bun.spawn(pinned([process.execPath, ...command], cpu), {
    cwd: repoRoot,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, PORT: "0", ...env },
    stdin: "ignore",
    stdout: log,
    stderr: log,
    // Ctrl-C reaches the benchmark alone, which still needs its servers to clean up.
    detached: true,
  });
  closeSync(log);
  const stop = async () => {
    const endedBefore = child.exitCode ?? child.signalCode;
    child.kill("SIGTERM");
    await child.exited;
    if (endedBefore !== null) console.error(`${command[0]} had ended (${endedBefore}):\n${lastLines(logFile)}`);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { url: await listening(child, logFile), pid: child.pid, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The API as its users start it, with the default log level, on a free port. */
export function startApi(options: Omit<ServerOptions, "command"> & { dataDir: string }): Promise<Server> {
  const { dataDir, env, cpu } = options;
  return startServer({ command: ["apps/api/src/index.ts"], env: { DATA_DIR: dataDir, ...env }, cpu });
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-20).join("\n");
}

async function listening(child: Bun.Subprocess, logFile: string): Promise<string> {
  const deadline = performance.now() + LISTEN_TIMEOUT_MS;
  for (;;) {
    const output = readFileSync(logFile, "utf8");
    const line = output.split("\n").find((candidate) => candidate.includes('"msg":"listening"'));
    if (line !== undefined) return (JSON.parse(line) as { url: string }).url;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server ended at its start:\n${output}`);
    if (performance.now() > deadline)
      throw new Error(`the server does not listen after ${LISTEN_TIMEOUT_MS} ms:\n${output}`);
    await Bun.sleep(20);
  }
}

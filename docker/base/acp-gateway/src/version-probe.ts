import { tmpdir } from "node:os";

const TIMEOUT_MS = 20_000;
const OUTPUT_BYTES_MAX = 16 * 1024;

type VersionProbeDeps = { env: Record<string, string> };

/**
 * Runs `PROGRAM --version` and reads a version from what it prints. Each run is a process
 * group of its own, killed whole when it ends, takes over 20 s, or the probe is closed.
 */
export function createVersionProbe({ env }: VersionProbeDeps) {
  const running = new Set<number>();

  async function run(program: string): Promise<string | null> {
    const child = start(program, env);
    if (!child) return null;
    running.add(child.pid);
    const timer = setTimeout(() => killGroup(child.pid), TIMEOUT_MS);
    try {
      // A grandchild that outlives the program would otherwise hold the pipe open.
      void child.exited.then(() => killGroup(child.pid));
      const output = await readStart(child.stdout);
      return (await child.exited) === 0 ? versionIn(output) : null;
    } finally {
      clearTimeout(timer);
      running.delete(child.pid);
    }
  }

  return {
    run,
    close(): void {
      for (const pid of running) killGroup(pid);
    },
  };
}

function start(program: string, env: Record<string, string>) {
  try {
    return Bun.spawn([program, "--version"], {
      cwd: tmpdir(),
      env,
      detached: true,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
  } catch {
    return null;
  }
}

/** The first 16 KiB of a stream; the rest is read and dropped so that the writer can finish. */
async function readStart(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < OUTPUT_BYTES_MAX) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, OUTPUT_BYTES_MAX);
}

function versionIn(output: string): string | null {
  return /\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.+-]+)?/.exec(output)?.[0] ?? null;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

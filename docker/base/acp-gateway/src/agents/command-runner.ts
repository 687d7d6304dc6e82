import { signalGroup } from "./proc.ts";

const OUTPUT_CHARACTERS = 16 * 1024;

export type Command = {
  argv: [string, ...string[]];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
};

/**
 * Runs a program as a process group of its own, killed whole when the program ends, takes too long or
 * `signal` aborts. `output` is the end of what it wrote, `code` null when it was killed.
 */
export async function runToEnd({ argv, cwd, env, timeoutMs, signal }: Command) {
  const child = Bun.spawn(argv, { cwd, env, detached: true, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const kill = () => signalGroup(child.pid, "SIGKILL");
  const timer = setTimeout(kill, timeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  let output = "";
  async function read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream)
      output = (output + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_CHARACTERS);
  }
  try {
    // A grandchild that outlives the program would otherwise hold the pipes open.
    void child.exited.then(kill);
    await Promise.all([read(child.stdout), read(child.stderr), child.exited]);
    return { code: child.signalCode === null ? child.exitCode : null, output };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

import { join, resolve } from "node:path";

const tests = resolve(import.meta.dir, "..");

export interface Finished {
  exitCode: number | null;
  signal: Bun.Subprocess["signalCode"];
  stdout: string;
  stderr: string;
}

/** Starts a TypeScript file of the tests as a process of its own. */
export function startScript(script: string, ...args: string[]) {
  return Bun.spawn([process.execPath, join(tests, script), ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs one to its end. */
export async function runScript(script: string, ...args: string[]): Promise<Finished> {
  const child = startScript(script, ...args);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
}

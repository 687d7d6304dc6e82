import { resolve } from "node:path";
import type { Finished } from "./run-script.ts";

const command = [process.execPath, resolve(import.meta.dir, "../../src/cli.ts")];

interface Options {
  /** Names and values the command sees besides PATH. */
  env?: Record<string, string>;
  cwd?: string;
}

const environment = ({ env = {} }: Options) => ({ PATH: process.env["PATH"] ?? "", ...env });

/** Runs `agentpod ...args` as a process, without a terminal. */
export async function runCli(args: readonly string[], options: Options = {}): Promise<Finished> {
  const child = Bun.spawn([...command, ...args], {
    env: environment(options),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
}

/** Runs it in a terminal of its own, where `typed` is the answer to the question that ends in `[y/N]`. */
export async function runCliInTerminal(args: readonly string[], options: Options & { typed?: string } = {}) {
  let shown = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([...command, ...args], {
    env: { ...environment(options), TERM: "dumb" },
    terminal: {
      cols: 200,
      rows: 50,
      data: (terminal, bytes) => {
        shown += decoder.decode(bytes, { stream: true });
        if (options.typed !== undefined && shown.endsWith("[y/N] ")) terminal.write(`${options.typed}\n`);
      },
    },
  });
  await child.exited;
  child.terminal?.close();
  return { exitCode: child.exitCode, shown: shown.replaceAll("\r\n", "\n") };
}

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ShellSession {
  /**
   * Runs commands as `bash -euo pipefail` does, in the shell that ran those before: variables, functions and
   * jobs stay. Returns what they print, both streams as one.
   * @throws Error with that when one of them fails, or when they take longer than `timeoutMs`
   */
  run: (script: string, timeoutMs?: number) => Promise<string>;
  /** Ends the shell and everything that still works under `cwd`. */
  close: () => Promise<void>;
}

/** A shell in the folder `cwd`, with nothing in its environment but `env`. */
export function openShell(cwd: string, env: Record<string, string>): ShellSession {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-shell-"));
  const shell = Bun.spawn(["bash", "-euo", "pipefail"], {
    cwd,
    env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = shell.stdout.getReader();
  let count = 0;

  return {
    async run(script, timeoutMs = 120_000) {
      count += 1;
      const [commands, output] = [join(folder, `${count}.sh`), join(folder, `${count}.out`)];
      writeFileSync(commands, `${script}\n`);
      void shell.stdin.write(`source '${commands}' </dev/null >'${output}' 2>&1; echo done\n`);
      await shell.stdin.flush();
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        shell.kill("SIGKILL");
      }, timeoutMs);
      const { done } = await answers.read();
      clearTimeout(timer);
      const printed = readFileSync(output, "utf8");
      if (!done) return printed;
      const why = late ? `took longer than ${timeoutMs} ms` : "failed";
      throw new Error(`the commands ${why}:\n${script}\n--- what they printed:\n${printed}`);
    },

    async close() {
      shell.kill("SIGKILL");
      await shell.exited;
      for (const pid of processesUnder(cwd)) end(pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** Where the system tells what each process works on; elsewhere none are found. */
function processesUnder(folder: string): number[] {
  const pids = process.platform === "linux" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
  return pids.map(Number).filter((pid) => {
    try {
      return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
    } catch {
      return false;
    }
  });
}

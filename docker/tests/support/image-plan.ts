import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Outcome, run } from "./scripts.ts";

const repo = resolve(import.meta.dir, "../../..");

/** A git checkout with the real `.ci/images` and small scripts in the place of those that build and test. */
export interface PlanCheckout {
  root: string;
  images: (...args: string[]) => Promise<Outcome>;
  write: (path: string, content: string) => void;
  /** What a command such as `test-container.sh agentpod-js` is to print, and its exit code. */
  answer: (command: string, output: string, exitCode: number) => void;
  /** The commands that were run since the last look. */
  commands: () => string[];
}

/** Prints what the file of its own command says, and 3 passed tests without one. */
const STAND_IN = `#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
command="\${0##*/} $*"
printf '%s\\n' "$command" >> "$here/../../../commands"
if [[ -f "$here/../../../answers/$command" ]]; then source "$here/../../../answers/$command"; fi
echo '3 passed, 0 failed'
`;

/** With the flavors fullstack, js and polyglot and the addons code-server, gpu and gui. */
export async function makePlanCheckout(): Promise<PlanCheckout & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-images-"));
  const root = join(folder, "checkout");
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  mkdirSync(join(root, "docker/scripts"), { recursive: true });
  mkdirSync(join(folder, "answers"));
  for (const path of [".ci/images", "docker/scripts/config.sh"]) cpSync(join(repo, path), join(root, path));
  for (const script of ["build.sh", "build-addon.sh", "test-container.sh"]) {
    write(`docker/scripts/${script}`, STAND_IN);
    chmodSync(join(root, "docker/scripts", script), 0o755);
  }
  for (const flavor of ["fullstack", "js", "polyglot"]) write(`docker/flavors/${flavor}/Dockerfile`, "FROM scratch\n");
  for (const addon of ["code-server", "gpu", "gui"]) write(`docker/addons/${addon}/Dockerfile`, "FROM scratch\n");
  write("docker/addons/gpu/fetch.sh", "true\n");
  write("docker/VERSION", "7\n");
  write("docker/versions.env", "");
  write("docker/base/Dockerfile", "FROM scratch\n");
  write("docker/base/acp-gateway/src/index.ts", "export {};\n");
  write(".gitignore", "docker/manifest.json\n*.log\n");
  for (const command of [
    ["init", "--quiet"],
    ["add", "."],
    ["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message=first"],
  ]) {
    const { exitCode, stderr } = await run(["git", "-C", root, ...command]);
    if (exitCode !== 0) throw new Error(`git ${command[0]}: ${stderr}`);
  }
  const log = join(folder, "commands");
  return {
    root,
    write,
    images: (...args) => run([join(root, ".ci/images"), ...args]),
    answer: (command, output, exitCode) =>
      writeFileSync(join(folder, "answers", command), `printf '%s\\n' '${output}'\nexit ${exitCode}\n`),
    commands() {
      const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
      rmSync(log, { force: true });
      return lines;
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

import { access } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { capture } from "./run.mjs";

/**
 * @typedef {object} Npm
 * @property {(args: readonly string[], cwd: string) => Promise<{ code: number, stdout: string, stderr: string }>} run
 */

/**
 * The npm that started this, else the one on PATH.
 * @returns {Promise<Npm | undefined>}
 */
export async function findNpm() {
  const command = (await npmThatStartedThis()) ?? (await npmOnPath());
  if (!command) return undefined;
  const [program, ...first] = command;
  const quiet = ["--loglevel=error", "--no-update-notifier", "--no-fund", "--no-audit"];
  return { run: (args, cwd) => capture(program, [...first, ...args, ...quiet], { cwd }) };
}

/** @returns {Promise<[string, ...string[]] | undefined>} */
async function npmThatStartedThis() {
  const script = process.env["npm_execpath"];
  const node = process.env["npm_node_execpath"];
  if (!script || !node || basename(script) !== "npm-cli.js") return undefined;
  return (await isExecutable(node)) ? [node, script] : undefined;
}

/** @returns {Promise<[string] | undefined>} */
async function npmOnPath() {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(directory, "npm");
    if (directory !== "" && (await isExecutable(candidate))) return [candidate];
  }
  return undefined;
}

/** @param {string} path */
async function isExecutable(path) {
  return access(path, 1).then(
    () => true,
    () => false,
  );
}

import { readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBun } from "./bun.mjs";
import { COMMANDS } from "./commands.mjs";
import { ensureDependencies } from "./dependencies.mjs";
import { LaunchProblem, say } from "./problem.mjs";
import { runInForeground } from "./run.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Brings up the pinned Bun and the locked dependencies if they are missing, then runs one command.
 * @param {string[]} argv the command's name, then the arguments handed on to it
 * @returns {Promise<number>} the exit code
 */
export async function launch([name = "", ...rest]) {
  try {
    const command = COMMANDS[name];
    if (!command) {
      const known = Object.keys(COMMANDS).join(", ");
      throw new LaunchProblem(`unknown command ${JSON.stringify(name)}. Known: ${known}.`);
    }
    const version = await pinnedVersion();
    const bun = await ensureBun({ root, version });
    await ensureDependencies({ root, bun, version });
    const env = { ...process.env, ...command.env, PATH: withFirst(dirname(bun), process.env["PATH"]) };
    for (const [index, step] of command.steps.entries()) {
      const last = index === command.steps.length - 1;
      const code = await runInForeground(bun, [...step, ...(last ? rest : [])], { cwd: root, env });
      if (code !== 0) return code;
    }
    return 0;
  } catch (error) {
    const problem = error instanceof LaunchProblem ? error : problemOfDisk(error);
    if (!problem) throw error;
    say(problem.message);
    return 1;
  }
}

async function pinnedVersion() {
  const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const version = /^bun@(\d+\.\d+\.\d+)$/.exec(packageManager)?.[1];
  if (!version) {
    throw new LaunchProblem('package.json must pin Bun exactly, as "packageManager": "bun@X.Y.Z".');
  }
  return version;
}

/**
 * @param {string} directory
 * @param {string | undefined} path
 */
function withFirst(directory, path) {
  const rest = (path ?? "").split(delimiter).filter((entry) => entry !== directory);
  return [directory, ...rest].join(delimiter);
}

/** @param {unknown} error */
function problemOfDisk(error) {
  if (!(error instanceof Error && "code" in error)) return undefined;
  const denied = ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT"].includes(String(error.code));
  if (!denied) return undefined;
  return new LaunchProblem(
    `cannot write into ${root}: ${error.message}. The checkout must be writable and have 1 GB free.`,
  );
}

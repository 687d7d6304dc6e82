import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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
    const steps = COMMANDS[name];
    if (!steps) {
      throw new LaunchProblem(
        `unknown command ${JSON.stringify(name)}. Known: ${Object.keys(COMMANDS).join(", ")}.`,
      );
    }
    const version = await pinnedVersion();
    const bun = await ensureBun({ root, version });
    await ensureDependencies({ root, bun, version });
    const env = { ...process.env, PATH: [dirname(bun), process.env["PATH"]].join(":") };
    for (const [index, step] of steps.entries()) {
      const last = index === steps.length - 1;
      const code = await runInForeground(bun, [...step, ...(last ? rest : [])], { cwd: root, env });
      if (code !== 0) return code;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof LaunchProblem)) throw error;
    say(error.message);
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

import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { networkLikeNpm } from "./network.mjs";
import { findNpm } from "./npm.mjs";
import { machineId, thisMachine } from "./platform.mjs";
import { LaunchProblem, say } from "./problem.mjs";
import { capture } from "./run.mjs";

/**
 * Installs the locked dependencies when they are missing, or when the lockfile, the pinned Bun or
 * the machine (a checkout shared with a container) changed since.
 * @param {{ root: string, bun: string, version: string }} options
 */
export async function ensureDependencies({ root, bun, version }) {
  const wanted = await fingerprint(root, version);
  const stamp = join(root, "node_modules", ".agentpod-installed");
  if ((await readStamp(stamp)) === wanted) return;
  await withLock(join(root, ".cache", "install-lock"), async () => {
    if ((await readStamp(stamp)) === wanted) return;
    say("installing the locked dependencies");
    await install(root, bun);
    await writeFile(`${stamp}.new`, wanted);
    await rename(`${stamp}.new`, stamp);
  });
}

/**
 * @param {string} root
 * @param {string} version
 */
async function fingerprint(root, version) {
  const lockfile = await readFile(join(root, "bun.lock"));
  const hash = createHash("sha256").update(lockfile).digest("hex");
  return `${hash} bun-${version} ${machineId(thisMachine())}`;
}

/** @param {string} path */
async function readStamp(path) {
  return readFile(path, "utf8").catch(() => undefined);
}

/**
 * @param {string} root
 * @param {string} bun
 */
async function install(root, bun) {
  const network = await networkSettings(root);
  const args = ["install", "--frozen-lockfile", "--no-progress", ...network.args];
  try {
    const env = { ...process.env, ...network.env };
    const { code, stdout, stderr } = await capture(bun, args, { cwd: root, env });
    if (code === 0) return;
    throw new LaunchProblem(
      `the dependencies could not be installed. Bun said:\n${(stdout + stderr).trim()}\n` +
        "If the network is at fault, check it (npm ping); if bun.lock is behind a package.json, run bun install.",
    );
  } finally {
    await network.cleanUp();
  }
}

/** @param {string} root */
async function networkSettings(root) {
  const none = { args: [], env: {}, cleanUp: async () => {} };
  // Who runs this with Bun has told Bun about their network, and maybe npm nothing.
  if (process.env["npm_config_user_agent"]?.startsWith("bun/")) return none;
  const npm = await findNpm();
  return npm ? networkLikeNpm(npm, root) : none;
}

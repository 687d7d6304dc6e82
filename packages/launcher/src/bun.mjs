import { access, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { withLock } from "./lock.mjs";
import { findNpm } from "./npm.mjs";
import { bunPackages, machineId, thisMachine } from "./platform.mjs";
import { LaunchProblem, say } from "./problem.mjs";
import { capture } from "./run.mjs";
import { fileFromTarball, hasIntegrity } from "./tarball.mjs";

const unfinished = ".unfinished-";
const patienceMs = 15_000;

/**
 * Finds the pinned Bun: the one running this, the one kept in the checkout, the one on PATH; else
 * gets it with npm and keeps it in the checkout.
 * @param {{ root: string, version: string }} options
 * @returns {Promise<string>} path of the executable
 */
export async function ensureBun({ root, version }) {
  if (process.versions.bun === version) return process.execPath;
  const kept = join(root, ".cache", "bun", `${version}-${machineId(thisMachine())}`, "bun");
  if (await exists(kept)) return kept;
  const onPath = await bunOnPath(version, root);
  if (onPath) return onPath;
  return withLock(join(root, ".cache", "bun", "lock"), async () => {
    if (!(await exists(kept))) await fetchBun({ root, version, target: kept });
    return kept;
  });
}

/**
 * @param {string} version
 * @param {string} cwd
 */
async function bunOnPath(version, cwd) {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(directory, "bun");
    if (directory === "" || !(await exists(candidate))) continue;
    if ((await versionOf(candidate, cwd)) === version) return candidate;
  }
  return undefined;
}

/** @param {{ root: string, version: string, target: string }} options */
async function fetchBun({ root, version, target }) {
  const packages = bunPackages(thisMachine());
  const npm = await findNpm();
  if (!npm) {
    throw new LaunchProblem(
      `Bun ${version} is needed, and there is no npm to get it with. ` +
        "Install npm (it comes with Node.js), or exactly that version of Bun.",
    );
  }
  const parent = dirname(dirname(target));
  await removeUnfinished(parent);
  const work = join(parent, `${unfinished}${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    for (const name of packages) {
      const binary = join(work, "bun");
      await writeFile(binary, await download({ root, npm, name, version, into: work }));
      await chmod(binary, 0o755);
      if ((await versionOf(binary, work)) !== version) continue;
      await rm(dirname(target), { recursive: true, force: true });
      await mkdir(dirname(target));
      await rename(binary, target);
      return;
    }
    throw new LaunchProblem(`Bun ${version} does not run on this machine (${packages.join(", ")}).`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * @param {{ root: string, npm: import("./npm.mjs").Npm, name: string, version: string, into: string }} options
 */
async function download({ root, npm, name, version, into }) {
  const integrity = await pinnedIntegrity(name, version);
  say(`getting Bun ${version} (${name}, once for this checkout)`);
  const args = ["pack", `${name}@${version}`, "--ignore-scripts", "--pack-destination", into];
  const patience = setTimeout(() => say("still waiting: npm retries a registry that does not answer"), patienceMs);
  const { code, stderr } = await npm.run([...args, "--workspaces=false"], root);
  clearTimeout(patience);
  const tarball = (await readdir(into)).find((file) => file.endsWith(".tgz"));
  if (code !== 0 || !tarball) {
    throw new LaunchProblem(
      `npm could not get ${name}@${version}. It said:\n${withoutStack(stderr)}\n` +
        "Check the network and npm's own settings (npm ping), then run the command again.",
    );
  }
  const bytes = await readFile(join(into, tarball));
  await rm(join(into, tarball));
  if (!hasIntegrity(bytes, integrity)) {
    throw new LaunchProblem(
      `${name}@${version} as npm delivered it is not the package pinned in bun-release.json, so it was not used. ` +
        "Check which registry npm uses (npm config get registry).",
    );
  }
  const binary = fileFromTarball(bytes, "package/bin/bun");
  if (!binary) throw new LaunchProblem(`${name}@${version} holds no bin/bun.`);
  return binary;
}

/** @param {string} stderr of npm, which shows its own stack for network failures */
function withoutStack(stderr) {
  const lines = stderr.trim().split("\n");
  return lines.filter((line) => !/^npm \S+ +at /.test(line)).join("\n");
}

/**
 * @param {string} name
 * @param {string} version
 * @returns {Promise<string>}
 */
async function pinnedIntegrity(name, version) {
  const file = new URL("./bun-release.json", import.meta.url);
  /** @type {{ version: string, integrity: Record<string, string> }} */
  const release = JSON.parse(await readFile(file, "utf8"));
  const integrity = release.version === version ? release.integrity[name] : undefined;
  if (!integrity) {
    throw new LaunchProblem(
      `bun-release.json pins no ${name}@${version}. Run: bun packages/launcher/src/pin-release.mjs`,
    );
  }
  return integrity;
}

/** @param {string} directory */
async function removeUnfinished(directory) {
  for (const entry of await readdir(directory)) {
    if (entry.startsWith(unfinished)) {
      await rm(join(directory, entry), { recursive: true, force: true });
    }
  }
}

/**
 * @param {string} binary
 * @param {string} cwd
 */
async function versionOf(binary, cwd) {
  return (await capture(binary, ["--version"], { cwd })).stdout.trim();
}

/** @param {string} path */
async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

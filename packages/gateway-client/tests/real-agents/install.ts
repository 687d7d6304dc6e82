import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The Node.js of the images, which the agents need. */
const NODE = { name: `node-linux-${process.arch === "arm64" ? "arm64" : "x64"}`, version: "24.21.0" };

/** Folders with programs for PATH, filled from npm where they are missing. */
export async function installNode(cache: string): Promise<string> {
  const folder = join(cache, `node-${NODE.version}`);
  const bin = join(folder, "node_modules", NODE.name, "bin");
  if (!existsSync(join(bin, "node"))) await npmInstall(folder, `${NODE.name}@${NODE.version}`);
  return bin;
}

async function npmInstall(folder: string, what: string): Promise<void> {
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  await writeFile(join(work, "package.json"), "{}");
  const npm = Bun.spawn(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", what], {
    cwd: work,
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await npm.stderr.text();
  if ((await npm.exited) !== 0) throw new Error(`npm could not install ${what}: ${said}`);
  await rm(folder, { recursive: true, force: true });
  await rename(work, folder);
}

/** Where agents are kept between runs. */
export function cacheFolder(env: Record<string, string | undefined>): string {
  const base = env["XDG_CACHE_HOME"] || join(env["HOME"] ?? "/tmp", ".cache");
  return join(base, "agentpod", "agents");
}

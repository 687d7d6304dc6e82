import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const repoRoot = resolve(import.meta.dir, "../../../..");
const generated = new Set(["node_modules", ".git", ".cache", ".turbo", "data", "coverage"]);

/**
 * A copy of this checkout in the new folder `path`, as a repository with one commit on `main`. It shares the
 * installed dependencies, which are left as they are.
 */
export async function scratchCheckout(path: string): Promise<void> {
  const linked: string[] = [];
  cpSync(repoRoot, path, {
    recursive: true,
    filter: (from) => {
      if (basename(from) === "node_modules") linked.push(from.slice(repoRoot.length + 1));
      return !generated.has(basename(from)) && !/\.log$|^\.env/.test(basename(from));
    },
  });
  for (const modules of linked) shareModules(join(repoRoot, modules), join(path, modules));
  await stamp(path);
  const commands = [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    ["-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=As it is"],
  ];
  for (const command of commands) {
    const { exitCode, stderr } = Bun.spawnSync(["git", ...command], { cwd: path });
    if (exitCode !== 0) throw new Error(`git ${command[0]}: ${stderr.toString()}`);
  }
}

/** Each entry is linked, so that what is written beside them stays in the copy. */
function shareModules(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name !== installed) symlinkSync(join(from, name), join(to, name));
  }
}

const installed = ".agentpod-installed";

/** Says that what the copy's lockfile asks for is installed, as it is said here with this Bun and machine. */
async function stamp(path: string): Promise<void> {
  const here = Bun.file(join(repoRoot, "node_modules", installed));
  if (!(await here.exists())) throw new Error("the launcher installed nothing here yet; run npm test");
  const lockfile = await Bun.file(join(path, "bun.lock")).bytes();
  const hash = new Bun.CryptoHasher("sha256").update(lockfile).digest("hex");
  const [, ...rest] = (await here.text()).split(" ");
  await Bun.write(join(path, "node_modules", installed), [hash, ...rest].join(" "));
}

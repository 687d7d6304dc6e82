import { join } from "node:path";

/**
 * Runs shellcheck over every shell script of the checkout. Without shellcheck the check is left
 * out with a word, except in CI, where it is required.
 */
async function checkShell(root: string, required: boolean): Promise<number> {
  if (!Bun.which("shellcheck")) {
    console.error("shellcheck is not installed, so the shell scripts were not checked.");
    return required ? 1 : 0;
  }
  const scripts = [".ci/**", "docker/**"];
  const found: string[] = [];
  for (const pattern of scripts) {
    for await (const path of new Bun.Glob(pattern).scan({ cwd: root, dot: true })) {
      if (!path.includes("node_modules/") && (await isShellScript(join(root, path)))) found.push(path);
    }
  }
  if (found.length === 0) return 0;
  const command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", ...found.toSorted()];
  return Bun.spawn(command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).exited;
}

async function isShellScript(path: string): Promise<boolean> {
  if (path.endsWith(".sh")) return true;
  const firstLine = (await Bun.file(path).slice(0, 64).text()).split("\n", 1)[0];
  return /^#!.*\b(ba)?sh\b/.test(firstLine ?? "");
}

const ci = process.env["CI"];
process.exitCode = await checkShell(join(import.meta.dir, "../../.."), ci !== undefined && ci !== "" && ci !== "false");

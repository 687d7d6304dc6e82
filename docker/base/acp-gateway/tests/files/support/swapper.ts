/**
 * Swaps what stands at a path as fast as it can: what belongs there, and a link that leads out. What
 * requests made of it meanwhile is put right. Arguments: the path, the link's target, folder or file.
 */
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const [path = "", target = "", kind] = process.argv.slice(2);
const [real, link] = [`${path}.real`, `${path}.link`];
const exists = (name: string) => lstatSync(name, { throwIfNoEntry: false }) !== undefined;

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // A request was faster; `repair` comes next.
  }
}

function repair(): void {
  rmSync(path, { recursive: true, force: true });
  if (!exists(dirname(path))) mkdirSync(dirname(path), { recursive: true });
  if (!exists(link)) symlinkSync(target, link);
  if (exists(real)) return;
  if (kind === "file") writeFileSync(real, "inside");
  else {
    mkdirSync(real);
    writeFileSync(`${real}/secret.txt`, "inside");
  }
}

attempt(repair);
process.stdout.write("ready\n");
for (;;) {
  attempt(repair);
  for (let turn = 0; turn < 20; turn += 1) {
    attempt(() => renameSync(link, path));
    attempt(() => renameSync(path, link));
    attempt(() => renameSync(real, path));
    attempt(() => renameSync(path, real));
  }
}

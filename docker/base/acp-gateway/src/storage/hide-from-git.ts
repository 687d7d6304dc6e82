import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The folder stands in a workspace, where `git add` of everything must not take secrets and logs along. */
export function hideFromGit(folder: string): void {
  try {
    writeFileSync(join(folder, ".gitignore"), "*\n", { flag: "wx", mode: 0o600 });
  } catch {
    // It is there, or the disk is full: then what follows tells.
  }
}

import { mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { hideFromGit } from "../storage/hide-from-git.ts";

type Places = { home: string | undefined; workspace: string };

/**
 * Makes again what a `git clean` of the workspace has removed. The images keep agents' folders of the
 * home folder there, behind links: through one that leads nowhere, no agent can make its folder.
 */
export function mendFolders({ home, workspace }: Places): void {
  const own = join(workspace, ".agentpod");
  hideFromGit(own);
  if (!home) return;
  for (const folder of [home, join(home, ".local/share")]) {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (!entry.isSymbolicLink()) continue;
        const goal = resolve(folder, readlinkSync(join(folder, entry.name)));
        if (goal.startsWith(`${own}/home/`)) mkdirSync(goal, { recursive: true, mode: 0o700 });
      }
    } catch {
      // What an agent misses it says better.
    }
  }
}

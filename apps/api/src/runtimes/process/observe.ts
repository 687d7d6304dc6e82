import { readdir } from "node:fs/promises";
import type { ObservedSandbox } from "../runtime.ts";
import type { ProcessFinder } from "./find-processes.ts";
import type { Launcher } from "./launcher.ts";
import { readRecord } from "./process-record.ts";
import { isFolder, isProjectId, projectFolder, projectsRoot } from "./project-folder.ts";

export interface ObserverDeps {
  dataDir: string;
  launcher: Launcher;
  finder: ProcessFinder;
}

/** Says what is there without changing anything. */
export function createObserver({ dataDir, launcher, finder }: ObserverDeps) {
  async function folders(): Promise<string[]> {
    const entries = await readdir(projectsRoot(dataDir), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isProjectId(entry.name)).map(({ name }) => name);
  }

  async function inspect(projectId: string): Promise<ObservedSandbox> {
    const nothing = { projectId, generation: null, startedAt: null, exitCode: null };
    const folder = projectFolder(dataDir, projectId);
    if (!(await isFolder(folder.root))) return { ...nothing, state: "absent" };
    const record = await readRecord(folder.record);
    if (record === undefined || record === "unreadable") return { ...nothing, state: "created" };
    const { generation, startedAt } = record;
    if (await launcher.findChild(projectId, record)) {
      return { projectId, state: "running", generation, startedAt, exitCode: null };
    }
    if (!record.child) return { ...nothing, state: "created" };
    const exitCode = await launcher.exitCode(projectId, record.child.pid);
    return { projectId, state: "exited", generation, startedAt, exitCode };
  }

  return {
    folders,
    inspect,

    /** Projects with a folder or, even without one, with a process. */
    async list(): Promise<ObservedSandbox[]> {
      const running = (await finder.all()).map(({ projectId }) => projectId);
      const ids = [...new Set([...(await folders()), ...running])].filter(isProjectId).toSorted();
      return await Promise.all(ids.map(inspect));
    },
  };
}

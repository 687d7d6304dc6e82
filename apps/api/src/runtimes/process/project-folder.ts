import { stat } from "node:fs/promises";
import { join } from "node:path";
import { RuntimeError } from "../runtime.ts";

/** Where everything of one project is; all of it is gone when `root` is. */
export interface ProjectFolder {
  root: string;
  workspace: string;
  /** HOME of everything that runs in the sandbox. */
  home: string;
  log: string;
  record: string;
  /** The gateway's token; mode 0600. */
  token: string;
}

/** Prefix of the folders that a clone goes into before it becomes the workspace. */
export const CLONE_PREFIX = "clone-";

const PROJECT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export const projectsRoot = (dataDir: string): string => join(dataDir, "projects");

/** Whether a name can be a project's id, and so a folder's name that stays inside its parent. */
export const isProjectId = (name: string): boolean => PROJECT_ID.test(name);

/** @throws RuntimeError `rejected` for an id that could lead out of the data folder */
export function projectFolder(dataDir: string, projectId: string): ProjectFolder {
  if (!isProjectId(projectId)) throw new RuntimeError("rejected", "the project's id is not fit for a folder's name");
  const root = join(projectsRoot(dataDir), projectId);
  return {
    root,
    workspace: join(root, "workspace"),
    home: join(root, "home"),
    log: join(root, "gateway.log"),
    record: join(root, "process.json"),
    token: join(root, "gateway-token"),
  };
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

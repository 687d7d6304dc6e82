import type { Logger } from "../../http/logger.ts";
import type { ProcessEnder } from "./end-processes.ts";
import type { ProcessFinder } from "./find-processes.ts";
import { childOf } from "./launcher.ts";
import { readRecord } from "./process-record.ts";
import { projectFolder } from "./project-folder.ts";

export interface CloseAllDeps {
  dataDir: string;
  projectIds: readonly string[];
  ender: ProcessEnder;
  finder: ProcessFinder;
  logger: Logger;
}

/** Ends the processes of all projects at the same time; what cannot be ended is logged and left for the next life. */
export async function closeAll({ dataDir, projectIds, ender, finder, logger }: CloseAllDeps): Promise<void> {
  const tell = (projectId: string) => (error: unknown) =>
    logger.error({ err: error, projectId }, "a sandbox could not be stopped");
  const endGateway = async (projectId: string) => {
    const child = childOf(await readRecord(projectFolder(dataDir, projectId).record));
    if (child) await ender.endGroup(child);
  };
  await Promise.all(projectIds.map((projectId) => endGateway(projectId).catch(tell(projectId))));
  const left = new Set((await finder.all()).map(({ projectId }) => projectId));
  await Promise.all([...left].map((projectId) => ender.endProject(projectId).catch(tell(projectId))));
}

import type { RuntimeName } from "@agentpod/types";
import type { ProjectRecord } from "../models/project.ts";

/** The runtime a project lives on; null for one from before runtimes, which whichever serves may take over. */
export function ownerOf({ runtime, coolifyAppUuid }: ProjectRecord): RuntimeName | null {
  return runtime ?? (coolifyAppUuid === null ? null : "coolify");
}

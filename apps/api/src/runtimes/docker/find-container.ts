import type Dockerode from "dockerode";
import { callEngine } from "./call-engine.ts";
import { isOurs, sandboxName } from "./names.ts";

/** What holds the project's container name, whoever made it; null when nothing does. */
export function findByName(
  docker: Dockerode,
  projectId: string,
  signal?: AbortSignal,
): Promise<Dockerode.ContainerInspectInfo | null> {
  const container = docker.getContainer(sandboxName(projectId));
  return callEngine("looking for the sandbox", (abortSignal) => container.inspect({ abortSignal }), {
    signal,
    otherwise: { 404: null },
  });
}

/** The project's container; null when there is none of this installation. */
export async function findSandbox(
  { docker, instanceId }: { docker: Dockerode; instanceId: string },
  projectId: string,
  signal?: AbortSignal,
): Promise<Dockerode.ContainerInspectInfo | null> {
  const found = await findByName(docker, projectId, signal);
  return found && isOurs(found.Config.Labels, instanceId) ? found : null;
}

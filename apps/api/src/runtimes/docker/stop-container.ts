import { callEngine } from "./call-engine.ts";
import { findSandbox } from "./find-container.ts";
import type { DockerContext } from "./options.ts";

/** What the engine itself needs around the grace period. */
const MARGIN_MS = 30_000;

/** SIGTERM, and SIGKILL after the grace period. Already stopped or gone is fine. */
export async function stopContainer(
  context: Pick<DockerContext, "docker" | "instanceId" | "stopTimeoutSeconds">,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const { docker, stopTimeoutSeconds } = context;
  const found = await findSandbox(context, projectId, signal);
  if (found === null || found.State.Status === "exited" || found.State.Status === "created") return;
  const container = docker.getContainer(found.Id);
  await callEngine("stopping the sandbox", (abortSignal) => container.stop({ t: stopTimeoutSeconds, abortSignal }), {
    signal,
    timeoutMs: stopTimeoutSeconds * 1000 + MARGIN_MS,
    otherwise: { 304: "already stopped", 404: "gone" },
  });
}

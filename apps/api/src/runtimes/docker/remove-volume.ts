import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { assertOurs, sandboxName } from "./names.ts";
import type { DockerContext } from "./options.ts";

/** The engine lets go of a volume a moment after its container is gone. */
const IN_USE_MS_MAX = 10_000;
const POLL_MS = 100;

/** Removes the project's volume with all its files. Already gone is fine. */
export async function removeVolume(
  { docker, instanceId }: Pick<DockerContext, "docker" | "instanceId">,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const name = sandboxName(projectId);
  const volume = docker.getVolume(name);
  const deadline = performance.now() + IN_USE_MS_MAX;
  for (;;) {
    const found = await callEngine("looking for the volume", (abortSignal) => volume.inspect({ abortSignal }), {
      signal,
      otherwise: { 404: null },
    });
    if (found === null) return;
    assertOurs("volume", name, found.Labels, instanceId);
    const removed = await callEngine("removing the volume", (abortSignal) => volume.remove({ abortSignal }), {
      signal,
      otherwise: { 404: "gone", 409: "in use" } as const,
    });
    if (removed !== "in use") continue;
    if (performance.now() > deadline) {
      throw new RuntimeError(
        "rejected",
        `another container uses the volume ${name}; see docker ps --all --filter volume=${name}`,
      );
    }
    await sleep(POLL_MS);
  }
}

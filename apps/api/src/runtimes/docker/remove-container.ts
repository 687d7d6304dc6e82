import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { findByName } from "./find-container.ts";
import { assertOurs, sandboxName } from "./names.ts";
import type { DockerContext } from "./options.ts";

const GONE_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

type Deps = Pick<DockerContext, "docker" | "instanceId">;

/** Removes the project's container, running or not, and waits until its name is free. Already gone is fine. */
export async function removeContainer(
  { docker, instanceId }: Deps,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const name = sandboxName(projectId);
  const deadline = performance.now() + GONE_TIMEOUT_MS;
  for (;;) {
    const found = await findByName(docker, projectId, signal);
    if (found === null) return;
    assertOurs("container", name, found.Config.Labels, instanceId);
    if (performance.now() > deadline) {
      throw new RuntimeError("timeout", `the container ${name} is still there after ${GONE_TIMEOUT_MS} ms`);
    }
    // By id: meanwhile the name can have come to another one. 409: somebody else is at it already.
    const remove = (abortSignal: AbortSignal) =>
      docker.getContainer(found.Id).remove({ force: true, v: true, abortSignal });
    const atIt = await callEngine("removing the sandbox", remove, {
      signal,
      timeoutMs: GONE_TIMEOUT_MS,
      otherwise: { 404: "gone", 409: "busy" } as const,
    });
    if (atIt === "busy") await sleep(POLL_MS);
  }
}

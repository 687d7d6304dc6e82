import type { SandboxState } from "@agentpod/types";
import type Dockerode from "dockerode";
import type { ObservedSandbox } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { findSandbox } from "./find-container.ts";
import { LABELS } from "./names.ts";
import type { DockerContext } from "./options.ts";

type Deps = Pick<DockerContext, "docker" | "instanceId">;

export async function inspectSandbox(deps: Deps, projectId: string): Promise<ObservedSandbox> {
  const found = await findSandbox(deps, projectId);
  if (found === null) return { projectId, state: "absent", generation: null, startedAt: null, exitCode: null };
  const { State, Config } = found;
  const state = stateOf(State.Status);
  const generation = Number(Config.Labels[LABELS.generation] ?? Number.NaN);
  return {
    projectId,
    state,
    generation: Number.isSafeInteger(generation) ? generation : null,
    startedAt: startedAt(State),
    exitCode: state === "exited" || state === "restarting" ? State.ExitCode : null,
  };
}

/** Every project of this installation that has a container or a volume. */
export async function listProjects({ docker, instanceId }: Deps): Promise<string[]> {
  const filters = { label: [`${LABELS.instance}=${instanceId}`] };
  const [containers, volumes] = await Promise.all([
    callEngine("listing the sandboxes", (abortSignal) => docker.listContainers({ all: true, filters, abortSignal })),
    callEngine("listing the volumes", (abortSignal) => docker.listVolumes({ filters, abortSignal })),
  ]);
  const labels = [...containers, ...volumes.Volumes].map(({ Labels }) => Labels[LABELS.project]);
  return [...new Set(labels.filter((id) => id !== undefined))];
}

function stateOf(status: string): SandboxState {
  switch (status) {
    case "created":
    case "running":
    case "restarting":
      return status;
    // Frozen by hand, but alive.
    case "paused":
      return "running";
    default:
      return "exited";
  }
}

/** The engine says the year 1 for never. */
function startedAt({ StartedAt }: Dockerode.ContainerInspectInfo["State"]): string | null {
  const time = Date.parse(StartedAt);
  return time > 0 ? new Date(time).toISOString() : null;
}

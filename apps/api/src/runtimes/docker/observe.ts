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
  if (found === null) return absent(projectId);
  const { State, Config } = found;
  const state = stateOf(State.Status);
  return {
    projectId,
    state,
    generation: generationOf(Config.Labels),
    startedAt: startedAt(State),
    exitCode: state === "exited" || state === "restarting" ? State.ExitCode : null,
  };
}

/** Every project of this installation that has a container or a volume. */
export async function listSandboxes({ docker, instanceId }: Deps): Promise<ObservedSandbox[]> {
  const filters = { label: [`${LABELS.instance}=${instanceId}`] };
  const [containers, volumes] = await Promise.all([
    callEngine("listing the sandboxes", (abortSignal) => docker.listContainers({ all: true, filters, abortSignal })),
    callEngine("listing the volumes", (abortSignal) => docker.listVolumes({ filters, abortSignal })),
  ]);
  const found = new Map<string, ObservedSandbox>();
  for (const { Labels } of volumes.Volumes) {
    const projectId = Labels[LABELS.project];
    if (projectId !== undefined) found.set(projectId, absent(projectId));
  }
  for (const { Labels, State } of containers) {
    const projectId = Labels[LABELS.project];
    if (projectId === undefined) continue;
    found.set(projectId, { ...absent(projectId), state: stateOf(State), generation: generationOf(Labels) });
  }
  return [...found.values()];
}

const absent = (projectId: string): ObservedSandbox => ({
  projectId,
  state: "absent",
  generation: null,
  startedAt: null,
  exitCode: null,
});

function generationOf(labels: Readonly<Record<string, string>>): number | null {
  const generation = Number(labels[LABELS.generation] ?? Number.NaN);
  return Number.isSafeInteger(generation) ? generation : null;
}

function stateOf(status: string): SandboxState {
  switch (status) {
    case "created":
    case "running":
    case "restarting":
    case "paused":
      return status;
    default:
      return "exited";
  }
}

/** The engine says the year 1 for never. */
function startedAt({ StartedAt }: Dockerode.ContainerInspectInfo["State"]): string | null {
  const time = Date.parse(StartedAt);
  return time > 0 ? new Date(time).toISOString() : null;
}

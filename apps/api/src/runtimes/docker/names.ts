import { RuntimeError } from "../runtime.ts";

/** One network for all sandboxes of this host; they cannot reach each other on it. */
export const NETWORK_NAME = "agentpod";

export const LABELS = {
  instance: "dev.agentpod.instance",
  project: "dev.agentpod.project",
  slug: "dev.agentpod.slug",
  generation: "dev.agentpod.generation",
  /** Digest of all settings of the container: another one means it has to be made anew. */
  spec: "dev.agentpod.spec",
} as const;

type Labels = Readonly<Record<string, string>> | null | undefined;

/** Name of a project's container and of its volume. */
export function sandboxName(projectId: string): string {
  // It becomes part of a path of the engine's API.
  if (!/^[a-zA-Z0-9_-]{1,100}$/.test(projectId)) {
    throw new RuntimeError("rejected", "the project id has characters a container's name cannot have");
  }
  return `agentpod-${projectId}`;
}

export function isOurs(labels: Labels, instanceId: string): boolean {
  return labels?.[LABELS.instance] === instanceId;
}

/** @throws RuntimeError `rejected` for what another installation, or a person, made under that name */
export function assertOurs(what: "container" | "volume", name: string, labels: Labels, instanceId: string): void {
  if (isOurs(labels, instanceId)) return;
  const remove = what === "container" ? `docker rm --force ${name}` : `docker volume rm ${name}`;
  throw new RuntimeError(
    "rejected",
    `the ${what} ${name} does not belong to this installation; if nobody needs it: ${remove}`,
  );
}

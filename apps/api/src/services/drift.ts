import type { DriftKind } from "@agentpod/types";
import type { ProjectRecord } from "../models/project.ts";
import type { ObservedSandbox } from "../runtimes/runtime.ts";

export interface Finding {
  kind: DriftKind;
  message: string;
}

const asked = (project: ProjectRecord): string => `It is ${project.status} by the record`;

/** How a project without an operation at work differs from what its runtime shows; null when it does not. */
export function findDrift(project: ProjectRecord, observed: ObservedSandbox | undefined): Finding | null {
  const state = observed?.state ?? "absent";
  const serves = state === "running" || state === "restarting";
  const isUp = serves || state === "paused";
  if (project.status === "error") {
    const reason = project.statusReason?.message ?? "the reason is not known";
    return { kind: "failed", message: `The last operation failed: ${reason}` };
  }
  if (project.status === "running" && !serves)
    return { kind: "not_running", message: `${asked(project)}, but its sandbox is ${state}.` };
  if (project.status === "stopped" && isUp)
    return { kind: "not_stopped", message: `${asked(project)}, but its sandbox is ${state}.` };
  if (state === "restarting")
    return { kind: "crashing", message: "The sandbox ends again and again; its log may say why." };
  const generation = observed?.generation ?? null;
  if (isUp && generation !== null && generation !== project.generation) {
    const fix = "The next start, restart or deploy brings it up to date.";
    return { kind: "outdated", message: `The sandbox runs an older configuration. ${fix}` };
  }
  return null;
}

const transientCodes: ReadonlySet<string> = new Set(["unavailable", "timeout", "port_conflict", "storage_unavailable"]);

/** Whether what a project failed with may pass by itself. */
export function mayPass(project: ProjectRecord): boolean {
  return transientCodes.has(project.statusReason?.code ?? "");
}

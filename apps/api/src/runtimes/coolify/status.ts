import type { SandboxState } from "@agentpod/types";

/** Coolify's `<state>:<health>`, as it was when Coolify last looked. */
export interface ApplicationStatus {
  state: string;
  health: string;
}

export function readStatus(status: string): ApplicationStatus {
  const [state = "", health = "unknown"] = status.split(":");
  return { state, health };
}

/** @param isConfigured false for an application that was never more than made */
export function sandboxState({ state }: ApplicationStatus, isConfigured: boolean): SandboxState {
  switch (state) {
    case "running":
    case "starting":
      return "running";
    case "paused":
      return "paused";
    case "restarting":
    case "degraded":
      return "restarting";
    default:
      return isConfigured ? "exited" : "created";
  }
}

import type { Application } from "@agentpod/coolify";
import type { ObservedSandbox } from "../runtime.ts";
import { assertReachable, findApplication, listApplications, sortOut } from "./find-application.ts";
import { readMarker } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { removeDoubles } from "./remove-application.ts";
import { readStatus, sandboxState } from "./status.ts";

/** @throws RuntimeError `unavailable` while the server is out of reach: Coolify then shows a state that says nothing */
export async function inspectSandbox(context: CoolifyRuntimeOptions, projectId: string): Promise<ObservedSandbox> {
  const app = await findApplication(context, projectId);
  if (app !== null) assertReachable(app, "looking at the sandbox");
  return observed(projectId, app);
}

/** Every project of this installation that has an application, in one request. Doubles that turned up are deleted. */
export async function listSandboxes(context: CoolifyRuntimeOptions): Promise<ObservedSandbox[]> {
  const { instanceId, records } = context;
  const marked = new Map<string, Application[]>();
  for (const app of await listApplications(context)) {
    const marker = readMarker(app.description);
    if (marker?.instanceId !== instanceId) continue;
    const group = marked.get(marker.projectId);
    if (group) group.push(app);
    else marked.set(marker.projectId, [app]);
  }
  const sandboxes: ObservedSandbox[] = [];
  for (const [projectId, apps] of marked) {
    const { kept, doubles } = sortOut(apps, context, projectId);
    sandboxes.push(observed(projectId, kept));
    // One that was made this moment may not be recorded yet.
    if (kept && kept.uuid === records.find(projectId)) await removeDoubles(context, projectId, doubles);
  }
  return sandboxes;
}

/** Coolify tells neither exit codes nor since when a sandbox runs. */
function observed(projectId: string, app: Application | null): ObservedSandbox {
  const unknown = { projectId, startedAt: null, exitCode: null };
  if (app === null) return { ...unknown, state: "absent", generation: null };
  const marker = readMarker(app.description);
  const state = sandboxState(readStatus(app.status), marker === null || marker.configured !== null);
  return { ...unknown, state, generation: marker?.configured?.generation ?? null };
}

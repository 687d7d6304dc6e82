import type { Project } from "@agentpod/types";
import type { RestartableApi } from "./api.ts";

const restful = new Set(["running", "stopped", "error"]);
const timeoutMs = 90_000;
const triesMax = 5;

/**
 * Waits until every project rests and what runs shows no drift. What ended in an error is tried again,
 * as its user would after the trouble is over.
 */
export async function settle(api: RestartableApi, problems: string[]): Promise<Project[]> {
  const deadline = performance.now() + timeoutMs;
  const tries = new Map<string, number>();
  let last = "nothing was answered";
  while (performance.now() < deadline) {
    const projects = await listAll(api);
    const failed = projects.filter(({ status }) => status === "error");
    for (const project of failed) {
      const count = (tries.get(project.id) ?? 0) + 1;
      tries.set(project.id, count);
      if (count > triesMax) {
        problems.push(`${project.id} stays in error: ${JSON.stringify(project.statusReason)}`);
        return projects;
      }
      await tryAgain(api, project.id);
    }
    if (failed.length === 0 && projects.every(({ status }) => restful.has(status))) {
      const answer = await api.call("POST", "/api/runtime/reconcile");
      if (answer?.body.error === null && answer.body.drift?.length === 0) {
        // Nothing was begun by that look, so this is where it rests.
        return await listAll(api);
      }
      last = `drift: ${JSON.stringify(answer?.body)}`;
    } else last = JSON.stringify(projects.map(({ id, status, statusReason }) => ({ id, status, statusReason })));
    await Bun.sleep(40);
  }
  problems.push(`it never came to rest: ${last}`);
  return await listAll(api);
}

async function tryAgain(api: RestartableApi, id: string): Promise<void> {
  const report = await api.call("GET", `/api/projects/${id}/status`);
  const path = `/api/projects/${id}`;
  const prefer = { prefer: "wait=30" };
  if (report?.body.desiredState === "deleted") await api.call("DELETE", path, undefined, prefer);
  else if (report?.body.desiredState === "stopped") await api.call("POST", `${path}/stop`, undefined, prefer);
  else await api.call("POST", `${path}/deploy`, undefined, prefer);
}

async function listAll(api: RestartableApi): Promise<Project[]> {
  const answer = await api.call("GET", "/api/projects?limit=200");
  if (answer?.status !== 200) throw new Error(`projects could not be listed: ${JSON.stringify(answer)}`);
  return answer.body.projects ?? [];
}

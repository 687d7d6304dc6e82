import type { Step } from "../runtime.ts";
import { isPinned } from "./application-settings.ts";
import { ensureDeployment } from "./ensure-deployment.ts";
import { requireApplication } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

/** Which deployment a start led to, by project: for the step that follows it. */
export type Triggered = Map<string, string>;

/**
 * Has Coolify start the sandbox as it is configured, unless it is at it or has done so.
 * @param isDeploy a tag may mean another image by now: then what runs is not good enough
 */
export function createStartStep(context: CoolifyRuntimeOptions, triggered: Triggered, isDeploy: boolean): Step {
  return {
    name: "start",
    run: async ({ projectId }, { signal }) => {
      triggered.delete(projectId);
      const app = await requireApplication(context, projectId, signal);
      const acceptFinished = !isDeploy || isPinned(app);
      const deployment = await ensureDeployment(context, app, { acceptFinished, signal });
      if (deployment) triggered.set(projectId, deployment.deployment_uuid);
    },
  };
}

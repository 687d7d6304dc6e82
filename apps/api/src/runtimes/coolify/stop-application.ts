import { cancelDeployments } from "./cancel-deployments.ts";
import { ask } from "./coolify-error.ts";
import { assertReachable, findApplication } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { poll } from "./poll.ts";
import { readStatus, sandboxState } from "./status.ts";

/** Coolify drops a stop without a word when its server is out of reach at that moment. */
const ASK_AGAIN_AFTER = 15;

/** Takes the sandbox down, whatever Coolify is about to do with it; its volume stays. Already down or gone is fine. */
export async function stopApplication(
  context: CoolifyRuntimeOptions,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const { client, pollMs, deployTimeoutMs: timeoutMs } = context;
  let looksSinceAsked = Number.POSITIVE_INFINITY;
  const look = async (): Promise<true | undefined> => {
    const app = await findApplication(context, projectId, signal);
    if (app === null) return true;
    assertReachable(app, "stopping the sandbox");
    // What is deployed after the stop would come up again.
    const inFlight = await cancelDeployments(context, app.uuid, signal);
    looksSinceAsked += 1;
    if (inFlight === 0 && looksSinceAsked < ASK_AGAIN_AFTER) {
      return sandboxState(readStatus(app.status), true) === "exited" ? true : undefined;
    }
    await ask("stopping the sandbox", () => client.stopApplication(app.uuid, { docker_cleanup: false, signal }));
    looksSinceAsked = 0;
    return undefined;
  };
  await poll(look, { pollMs, timeoutMs, signal, waitingFor: "Coolify to stop the sandbox" });
}

/** As `stopApplication`, unless an earlier deployment is still up and well. */
export async function stopUnlessHealthy(
  context: CoolifyRuntimeOptions,
  projectId: string,
  signal?: AbortSignal,
): Promise<void> {
  const app = await findApplication(context, projectId, signal);
  if (app === null) return;
  const { state, health } = readStatus(app.status);
  if (state === "running" && health === "healthy") await cancelDeployments(context, app.uuid, signal);
  else await stopApplication(context, projectId, signal);
}

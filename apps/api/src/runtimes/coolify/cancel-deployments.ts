import { CoolifyError, type Deployment } from "@agentpod/coolify";
import { ask, toRuntimeError } from "./coolify-error.ts";
import { RuntimeError } from "../runtime.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

type Deps = Pick<CoolifyRuntimeOptions, "client" | "logger">;

/** More than Coolify lets wait for one application without force. */
const TAKE = 10;

export const isInFlight = ({ status }: Deployment): boolean => status === "queued" || status === "in_progress";

/** The application's latest deployments, the newest first; none when the application is gone. */
export async function latestDeployments(
  { client }: Deps,
  appUuid: string,
  signal?: AbortSignal,
): Promise<Deployment[]> {
  const list = () => client.listApplicationDeployments(appUuid, { take: TAKE, signal });
  return (await ask("looking at the deployments", list)).deployments;
}

/**
 * Cancels what is queued or running of the application's deployments. That one cannot be is no failure:
 * what comes after either waits for it or looks again.
 * @returns how many there were
 */
export async function cancelDeployments(
  deps: Deps,
  appUuid: string,
  signal?: AbortSignal,
  among?: readonly Deployment[],
): Promise<number> {
  const all = among ?? (await latestOrNone(deps, appUuid, signal));
  const inFlight = all.filter(isInFlight);
  for (const { deployment_uuid: deploymentUuid } of inFlight) {
    try {
      await deps.client.cancelDeployment(deploymentUuid, { signal });
    } catch (error) {
      if (!(error instanceof CoolifyError) || signal?.aborted) throw toRuntimeError(error, "cancelling a deployment");
      deps.logger.debug({ failure: error.failure, deploymentUuid }, "a deployment could not be cancelled");
    }
  }
  return inFlight.length;
}

async function latestOrNone(deps: Deps, appUuid: string, signal?: AbortSignal): Promise<Deployment[]> {
  try {
    return await latestDeployments(deps, appUuid, signal);
  } catch (error) {
    if (error instanceof RuntimeError && error.failure === "not_found") return [];
    throw error;
  }
}

import { CoolifyError, currentDeployment, type Application, type Deployment } from "@agentpod/coolify";
import { RuntimeError } from "../runtime.ts";
import { cancelDeployments, isInFlight, latestDeployments } from "./cancel-deployments.ts";
import { ask, toRuntimeError } from "./coolify-error.ts";
import { readMarker } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { readStatus } from "./status.ts";

/** How soon a request that Coolify took but did nothing about is worth another try. */
const RETRY_MS = 10_000;

export interface EnsureOptions {
  /** Whether one that is finished and up will do. */
  acceptFinished: boolean;
  signal: AbortSignal;
}

/**
 * The deployment that brings up the application as it is configured now: one that is on its way, else a
 * new one. Those of an older configuration are cancelled.
 * @returns null when the application runs and nothing has to be done
 */
export async function ensureDeployment(
  context: CoolifyRuntimeOptions,
  app: Application,
  { acceptFinished, signal }: EnsureOptions,
): Promise<Deployment | null> {
  const latest = await latestDeployments(context, app.uuid, signal);
  const after = readMarker(app.description)?.configured?.after ?? null;
  const newest = latest[0];
  if (newest && newest.deployment_uuid !== after) {
    if (isInFlight(newest)) {
      await cancelDeployments(context, app.uuid, signal, latest.slice(1));
      return newest;
    }
    const isUp = newest.status === "finished" && readStatus(app.status).state === "running";
    if (isUp && acceptFinished) return null;
  }
  const outdated = await cancelDeployments(context, app.uuid, signal, latest);
  return trigger(context, app.uuid, { after: newest?.deployment_uuid ?? null, force: outdated > 0, signal });
}

interface TriggerOptions {
  /** The newest deployment until now. */
  after: string | null;
  force: boolean;
  signal: AbortSignal;
}

async function trigger(
  { client }: CoolifyRuntimeOptions,
  appUuid: string,
  { after, force, signal }: TriggerOptions,
): Promise<Deployment> {
  const isNew = (found: Deployment | null): found is Deployment => found !== null && found.deployment_uuid !== after;
  const find = (deploymentUuid: string | null) =>
    ask("looking for the deployment", () => currentDeployment(client, appUuid, { deploymentUuid }, { signal }));
  try {
    const { deploymentUuid } = await client.startApplication(appUuid, { force, signal });
    const found = await find(deploymentUuid);
    if (isNew(found)) return found;
    // Unlike the start, this one says so when the queue is full.
    const { deployments } = await client.deploy({ uuid: appUuid, force: true }, { signal });
    const forced = await find(deployments[0]?.deploymentUuid ?? null);
    if (isNew(forced)) return forced;
  } catch (error) {
    const isUnclear = error instanceof CoolifyError && error.mayHaveHappened && !signal.aborted;
    const found = isUnclear ? await find(null) : null;
    if (isNew(found)) return found;
    throw toRuntimeError(error, "starting the sandbox");
  }
  const message = "Coolify took the request to start the sandbox, but made no deployment of it";
  throw new RuntimeError("unavailable", message, { retryAfterMs: RETRY_MS });
}

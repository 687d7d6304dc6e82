import type { Trigger } from "./applications.ts";
import type { CoolifyClient } from "./client.ts";
import { CoolifyError } from "./errors.ts";
import type { Deployment } from "./schemas.ts";
import type { CallOptions } from "./transport.ts";

/**
 * The deployment that really runs after a trigger. Coolify answers 200 without an id when one is queued or running
 * already, with the id of none through `/deploy`, and with the id of none when the queue is full. Null when there is
 * none: trigger again, with force. When its `deployment_uuid` is not the trigger's, it began earlier and may lack the
 * latest changes.
 */
export async function currentDeployment(
  client: Pick<CoolifyClient, "getDeployment" | "listApplicationDeployments">,
  appUuid: string,
  trigger: Pick<Trigger, "deploymentUuid">,
  options: CallOptions = {},
): Promise<Deployment | null> {
  const named = trigger.deploymentUuid === null ? null : await find(client, trigger.deploymentUuid, options);
  if (named !== null) return named;
  const { deployments } = await client.listApplicationDeployments(appUuid, { take: 1, ...options });
  const newest = deployments[0];
  return newest !== undefined && (newest.status === "queued" || newest.status === "in_progress") ? newest : null;
}

async function find(
  client: Pick<CoolifyClient, "getDeployment">,
  uuid: string,
  options: CallOptions,
): Promise<Deployment | null> {
  try {
    return await client.getDeployment(uuid, options);
  } catch (error) {
    if (error instanceof CoolifyError && error.failure === "not_found") return null;
    throw error;
  }
}

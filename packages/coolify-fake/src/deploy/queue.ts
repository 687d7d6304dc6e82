import { refuse, SERVER_ERROR } from "../answer.ts";
import type { Cause } from "../faults.ts";
import { deployedReference } from "../rules/image.ts";
import type { Application, Deployment } from "../state.ts";
import { stamps, timestamp, type World } from "../world.ts";
import { runDeployment } from "./run.ts";

export interface Trigger {
  force?: boolean;
  restartOnly?: boolean;
  /** Does not wait for others of the same server. */
  atOnce?: boolean;
  cause: Cause;
}

/** `uuid` is answered by some calls even when nothing was queued under it. */
export interface Queued {
  outcome: "queued" | "already_queued" | "full";
  uuid: string;
}

/** Queues a deployment, as long as there is room and none of the application is under way. */
export function queueDeployment(world: World, application: Application, trigger: Trigger): Queued {
  const { force = false, restartOnly = false, atOnce = false, cause } = trigger;
  const { faults, activeDeployments, ids } = world;
  if (deployedReference(application.columns) === null) refuse(SERVER_ERROR);
  const uuid = ids.uuid();
  if (faults.take("queue_full", cause) || isFull(world, application)) return { outcome: "full", uuid };
  if (faults.take("phantom_deployment", cause)) return { outcome: "queued", uuid };
  if (!force && !atOnce) {
    const underWay = [...activeDeployments].some((deployment) => deployment.application === application);
    if (underWay || faults.take("already_queued", cause)) return { outcome: "already_queued", uuid };
  }
  const deployment = newDeployment(world, application, uuid, { force, restartOnly, cause });
  world.deployments.set(uuid, deployment);
  application.deployments.push(deployment);
  activeDeployments.add(deployment);
  if (atOnce || mayRun(world, deployment)) begin(world, deployment);
  return { outcome: "queued", uuid };
}

/** Ends a deployment in any way; what waited for its place begins. */
export function endDeployment(
  world: World,
  deployment: Deployment,
  status: "finished" | "failed" | "cancelled-by-user",
) {
  for (const callOff of deployment.callOffs.splice(0)) callOff();
  deployment.status = status;
  deployment.updated_at = timestamp();
  deployment.finishedAt = deployment.updated_at;
  world.activeDeployments.delete(deployment);
  for (const waiting of world.activeDeployments) {
    if (waiting.status === "queued" && mayRun(world, waiting)) begin(world, waiting);
  }
}

function begin(world: World, deployment: Deployment) {
  deployment.status = "in_progress";
  deployment.updated_at = timestamp();
  runDeployment(world, deployment, (status) => endDeployment(world, deployment, status));
}

function isFull(world: World, { destination: { server } }: Application): boolean {
  let waiting = 0;
  for (const { status, application } of world.activeDeployments) {
    if (status === "queued" && application.destination.server === server) waiting++;
  }
  return waiting >= server.queueLimit;
}

/** One at a time for an application, so many for a server. */
function mayRun(world: World, { application }: Deployment): boolean {
  const { server } = application.destination;
  let running = 0;
  for (const other of world.activeDeployments) {
    if (other.status !== "in_progress") continue;
    if (other.application === application) return false;
    if (other.application.destination.server === server) running++;
  }
  return running < server.concurrentBuilds;
}

function newDeployment(
  world: World,
  application: Application,
  uuid: string,
  given: Pick<Deployment, "force" | "restartOnly" | "cause">,
): Deployment {
  return {
    id: world.ids.next("deployment"),
    uuid,
    application,
    status: "queued",
    ...given,
    logs: null,
    configurationHash: null,
    jobId: null,
    processId: null,
    finishedAt: null,
    callOffs: [],
    ...stamps(),
  };
}

import type { Cause } from "../faults.ts";
import type { Application } from "../state.ts";
import { isReachable, type World } from "../world.ts";
import { endDeployment } from "./queue.ts";

/** Removes the container a while later; named volumes stay. A deployment under way is not stopped by it. */
export function queueStop(world: World, application: Application) {
  application.stops++;
  world.timers.after(world.options.stopMs, () => {
    application.stops--;
    if (!isReachable(world)) return;
    application.container = null;
    application.status = "exited:unhealthy";
  });
}

/** Until the job ran, the application answers as if nothing had been asked. */
export function queueDeletion(world: World, application: Application, deleteVolumes: boolean, cause: Cause) {
  if (application.deleting) return;
  application.deleting = true;
  const lag = world.faults.take("deletion_lag", cause);
  const delay = world.options.deletionMs + (lag ? (lag.ms ?? world.options.deletionMs * 10) : 0);
  world.timers.after(delay, () => remove(world, application, deleteVolumes));
}

function remove(world: World, application: Application, deleteVolumes: boolean) {
  const { container } = application;
  world.applications.delete(application.uuid);
  application.container = null;
  if (!isReachable(world)) {
    if (container) world.leftContainers.add(container.name);
    for (const { name } of application.volumes) if (world.dockerVolumes.has(name)) world.leftVolumes.add(name);
  } else if (deleteVolumes) {
    for (const { name } of application.volumes) world.dockerVolumes.delete(name);
  }
  for (const deployment of application.deployments) {
    world.deployments.delete(deployment.uuid);
    if (world.activeDeployments.has(deployment)) endDeployment(world, deployment, "cancelled-by-user");
  }
}

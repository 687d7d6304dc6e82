import type { Fault } from "../faults.ts";
import { arrivingValues } from "../rules/env-file.ts";
import { deployedReference } from "../rules/image.ts";
import type { Application, Container, Limits } from "../state.ts";
import { databaseTime, type World } from "../world.ts";

const FLICKER_HEALTH_TIMES = 5;

/** Such a deployment starts the new container beside the old one and waits until it is healthy. */
export const waitsForHealth = ({ columns, settings }: Application) =>
  columns.health_check_enabled &&
  !columns.ports_mappings &&
  !settings.is_consistent_container_name_enabled &&
  !settings.custom_internal_name;

export function newContainer(world: World, application: Application, deploymentUuid: string): Container {
  const { columns, settings, uuid } = application;
  const fixedName = settings.custom_internal_name ?? (settings.is_consistent_container_name_enabled ? uuid : null);
  const name = fixedName ?? `${uuid}-${String(world.ids.next("container")).padStart(12, "0")}`;
  const image = deployedReference(columns) ?? "";
  return {
    name,
    image,
    env: containerEnv(application, name),
    limits: limitsOf(application),
    domains: columns.fqdn,
    volumes: application.volumes.filter((volume) => volume.host_path === null).map((volume) => volume.name),
    deploymentUuid,
    startedAt: new Date(),
    restarting: false,
    logs: [`started ${image}`, `listening on ${columns.ports_exposes?.split(",")[0] ?? "no port"}`],
  };
}

/** What a fault has in store for a container once it runs. */
export interface Fate {
  crash: Fault | undefined;
  flicker: Fault | undefined;
}

/** The new container replaces the old one. The status follows later, and stays behind for a while. */
export function becomesRunning(world: World, application: Application, container: Container, fate: Fate) {
  const { options } = world;
  const { crash, flicker } = fate;
  const { columns } = application;
  container.startedAt = new Date();
  application.container = container;
  if (!application.labelsAreBase64 && columns.custom_labels !== null) {
    columns.custom_labels = Buffer.from(columns.custom_labels).toString("base64");
    application.labelsAreBase64 = true;
  }
  for (const volume of container.volumes) world.dockerVolumes.add(volume);
  const waited = waitsForHealth(application);
  const step = statusSteps(world, application, container);
  if (waited) application.status = "running:unhealthy";
  if (crash && !columns.health_check_enabled) return crashes(world, application, step, options.statusLagMs);
  if (!columns.health_check_enabled) step(options.statusLagMs, "starting:unknown");
  const settled = columns.health_check_enabled ? "running:healthy" : "running:unknown";
  let after = options.statusLagMs + options.healthMs;
  step(after, settled);
  if (flicker) {
    step((after += options.healthMs), "running:unhealthy");
    step((after += flicker.ms ?? options.healthMs * FLICKER_HEALTH_TIMES), settled);
  }
  if (crash) crashes(world, application, step, after + options.healthMs);
}

/** What the stored status is when nothing is under way. */
export function settledStatus({ container, columns }: Application): string {
  if (container === null) return "exited:unhealthy";
  if (container.restarting) return "restarting:unknown";
  return columns.health_check_enabled ? "running:healthy" : "running:unknown";
}

type Step = ReturnType<typeof statusSteps>;

/** Later statuses of this container; they are void once another one runs or none does. */
function statusSteps(world: World, application: Application, container: Container) {
  return (ms: number, status: string, act?: () => void) => {
    world.timers.after(ms, () => {
      if (application.container !== container) return;
      application.status = status;
      application.columns.last_online_at = databaseTime();
      if (status === "restarting:unknown") container.restarting = true;
      act?.();
    });
  };
}

/** Docker starts it again and again; after so many times Coolify stops it, or never when that is 0. */
function crashes(world: World, application: Application, step: Step, after: number) {
  const { columns } = application;
  const restarts = columns.max_restart_count;
  step(after, "restarting:unknown");
  if (restarts === 0) return;
  step(after + world.options.healthMs * restarts, "exited:unhealthy", () => {
    columns.restart_count = restarts;
    application.container = null;
  });
}

function containerEnv(application: Application, name: string): Record<string, string> {
  const { columns, uuid, variables } = application;
  const port = columns.ports_exposes?.split(",")[0];
  return {
    ...(port === undefined ? {} : { PORT: port }),
    HOST: "0.0.0.0",
    COOLIFY_URL: columns.fqdn ?? "",
    COOLIFY_FQDN: columns.fqdn?.replaceAll(/https?:\/\//g, "") ?? "",
    COOLIFY_BRANCH: "",
    COOLIFY_RESOURCE_UUID: uuid,
    COOLIFY_CONTAINER_NAME: name,
    SOURCE_COMMIT: "HEAD",
    ...arrivingValues(variables),
  };
}

export function limitsOf({ columns }: Application): Limits {
  return {
    limits_cpus: columns.limits_cpus,
    limits_cpuset: columns.limits_cpuset,
    limits_cpu_shares: columns.limits_cpu_shares,
    limits_memory: columns.limits_memory,
    limits_memory_reservation: columns.limits_memory_reservation,
    limits_memory_swap: columns.limits_memory_swap,
    limits_memory_swappiness: columns.limits_memory_swappiness,
  };
}

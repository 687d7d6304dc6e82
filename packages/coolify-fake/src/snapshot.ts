import { limitsOf } from "./deploy/container.ts";
import { deployedReference } from "./rules/image.ts";
import type { Application, Limits } from "./state.ts";
import type { World } from "./world.ts";

/** The container as it was deployed, whatever was changed since. */
export interface RunningSnapshot {
  image: string;
  /** All that arrives in the container: Coolify adds HOST, PORT, SOURCE_COMMIT and COOLIFY_* ones. */
  env: Record<string, string>;
  limits: Limits;
  domains: string | null;
  startedAt: Date;
  deploymentUuid: string;
  /** In a crash loop. */
  restarting: boolean;
}

/** An application as it is stored, under Coolify's names; none of it reaches what runs before a deployment. */
export interface ApplicationSnapshot {
  uuid: string;
  name: string;
  description: string | null;
  status: string;
  /** What would be pulled, such as `a/b:v1` or `a/b@sha256:...`; null when name and tag make no reference. */
  image: string | null;
  domains: string | null;
  ports_exposes: string | null;
  limits: Limits;
  health: Record<`health_check_${string}`, string | number | boolean | null>;
  envs: Record<string, string>;
  storages: { name: string; mount_path: string }[];
  projectUuid: string;
  environmentName: string;
  serverUuid: string;
  running: RunningSnapshot | null;
  /** A deletion that was asked for has not run yet. */
  deletedPending: boolean;
  /** A stop that was asked for has not run yet. */
  stopPending: boolean;
}

export function snapshots(world: World): ApplicationSnapshot[] {
  return [...world.applications.values()].map(snapshot);
}

function snapshot(application: Application): ApplicationSnapshot {
  const { uuid, columns, status, variables, volumes, environment, destination } = application;
  const { name, description, ports_exposes } = columns;
  const normal = variables.filter((variable) => !variable.is_preview);
  const health = Object.entries(columns).filter(([column]) => column.startsWith("health_check_"));
  return {
    uuid,
    name,
    description,
    status,
    image: deployedReference(columns),
    domains: columns.fqdn,
    ports_exposes,
    limits: limitsOf(application),
    health: Object.fromEntries(health) as ApplicationSnapshot["health"],
    envs: Object.fromEntries(normal.map(({ key, value }) => [key, value ?? ""])),
    storages: volumes.map(({ name: volume, mount_path }) => ({ name: volume, mount_path })),
    projectUuid: environment.project.uuid,
    environmentName: environment.name,
    serverUuid: destination.server.uuid,
    running: running(application),
    deletedPending: application.deleting,
    stopPending: application.stops > 0,
  };
}

function running({ container }: Application): RunningSnapshot | null {
  if (!container) return null;
  const { image, env, limits, domains, startedAt, deploymentUuid, restarting } = container;
  return { image, env: { ...env }, limits: { ...limits }, domains, startedAt, deploymentUuid, restarting };
}

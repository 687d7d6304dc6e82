import { z } from "zod";

/** Coolify's answers: strict on what is used here, open to fields that come with later releases. */

const Identifier = z.string().min(1);

export const Created = z.looseObject({ uuid: Identifier });
export type Created = z.infer<typeof Created>;

export const Said = z.looseObject({ message: z.string() });

/** Only these settings are kept: with `read:sensitive` Coolify adds secrets that nothing here needs. */
const ServerSettings = z.object({
  /** Also of the server itself in the list of all, but only here in GET of one. */
  is_reachable: z.boolean().nullish(),
  is_usable: z.boolean().nullish(),
  wildcard_domain: z.string().nullish(),
  concurrent_builds: z.number().nullish(),
  deployment_queue_limit: z.number().nullish(),
  is_build_server: z.boolean().nullish(),
  is_swarm_manager: z.boolean().nullish(),
  is_swarm_worker: z.boolean().nullish(),
});

export const Server = z.looseObject({
  uuid: Identifier,
  name: z.string(),
  is_reachable: z.boolean().nullish(),
  is_usable: z.boolean().nullish(),
  /** Only GET of one server has `type` and `status`. */
  proxy: z.looseObject({ type: z.string().nullish(), status: z.string().nullish() }).nullish(),
  settings: ServerSettings.nullish(),
});
export type Server = z.infer<typeof Server>;

export const Destination = z.looseObject({
  uuid: Identifier,
  name: z.string(),
  network: z.string(),
  server_uuid: z.string().nullish(),
});
export type Destination = z.infer<typeof Destination>;

export const Environment = z.looseObject({ id: z.number(), uuid: Identifier, name: z.string() });
export type Environment = z.infer<typeof Environment>;

export const Project = z.looseObject({
  uuid: Identifier,
  name: z.string(),
  description: z.string().nullish(),
  /** Only GET of one project has them. */
  environments: z.array(Environment).optional(),
});
export type Project = z.infer<typeof Project>;

const text = z.string().nullish();
const number = z.number().nullish();

export const Application = z.looseObject({
  uuid: Identifier,
  name: z.string(),
  /** `<state>:<health>`, such as `running:healthy` or `exited:unhealthy`. */
  status: z.string(),
  description: text,
  /** The `domains` as they were sent, container ports included. */
  fqdn: text,
  build_pack: text,
  docker_registry_image_name: text,
  docker_registry_image_tag: text,
  ports_exposes: text,
  environment_id: number,
  limits_memory: text,
  limits_memory_swap: text,
  limits_cpus: text,
  health_check_enabled: z.boolean().nullish(),
  health_check_path: text,
  health_check_port: z.union([z.string(), z.number()]).nullish(),
  custom_docker_run_options: text,
  /** False when Coolify cannot reach the server. */
  server_status: z.boolean().nullish(),
  restart_count: number,
  deleted_at: text,
  destination: z.looseObject({ uuid: Identifier, server: z.looseObject({ uuid: Identifier }).nullish() }).nullish(),
});
export type Application = z.infer<typeof Application>;

export const EnvironmentDetail = Environment.extend({ applications: z.array(Application) });
export type EnvironmentDetail = z.infer<typeof EnvironmentDetail>;

export const CreatedApplication = z.looseObject({ uuid: Identifier, domains: text });

export const DeploymentStatus = z.enum(["queued", "in_progress", "finished", "failed", "cancelled-by-user"]);
export type DeploymentStatus = z.infer<typeof DeploymentStatus>;

export const Deployment = z.looseObject({
  deployment_uuid: Identifier,
  status: DeploymentStatus,
  /** A JSON array as a string; absent without `read:sensitive`. */
  logs: text,
  created_at: text,
  finished_at: text,
});
export type Deployment = z.infer<typeof Deployment>;

export const DeploymentList = z.looseObject({ count: z.number(), deployments: z.array(Deployment) });

/** What start and restart answer; without the id when one is queued or running already. */
export const Triggered = z.looseObject({ message: z.string(), deployment_uuid: text });

/** By uuid and by tag `/deploy` answers in two shapes. */
export const Deployed = z.union([
  z.looseObject({
    deployments: z.array(z.looseObject({ message: text, resource_uuid: Identifier, deployment_uuid: text })),
  }),
  z.looseObject({
    details: z.array(z.looseObject({ resource_uuid: Identifier, deployment_uuid: text })),
    message: z.union([z.string(), z.array(z.string())]).nullish(),
  }),
]);

export const EnvVariable = z.looseObject({
  uuid: Identifier,
  key: z.string(),
  /** Absent without `read:sensitive`; null when empty or shown only once. */
  value: text,
  comment: text,
  is_preview: z.boolean(),
});
export type EnvVariable = z.infer<typeof EnvVariable>;

export const Storage = z.looseObject({
  uuid: Identifier,
  /** `<application uuid>-<name>`, which is the Docker volume's name too. */
  name: z.string(),
  mount_path: z.string(),
  host_path: text,
});
export type Storage = z.infer<typeof Storage>;

export const StorageList = z.looseObject({
  persistent_storages: z.array(Storage),
  file_storages: z.array(z.looseObject({ uuid: Identifier, mount_path: z.string() })),
});
export type StorageList = z.infer<typeof StorageList>;

export const Logs = z.looseObject({ logs: z.string() });

import type { Columns, Settings } from "./columns.ts";
import type { Cause } from "./faults.ts";

/** Both as Coolify writes them: ISO with microseconds. */
export interface Stamps {
  created_at: string;
  updated_at: string;
}

export interface Server extends Stamps {
  id: number;
  uuid: string;
  name: string;
  ip: string;
  proxyType: "TRAEFIK" | "CADDY" | "NONE";
  wildcardDomain: string | null;
  concurrentBuilds: number;
  queueLimit: number;
  cpus: number;
}

export interface Destination extends Stamps {
  id: number;
  uuid: string;
  name: string;
  network: string;
  server: Server;
}

export interface Project extends Stamps {
  id: number;
  uuid: string;
  name: string;
  description: string | null;
}

export interface Environment extends Stamps {
  id: number;
  uuid: string;
  name: string;
  project: Project;
}

export interface Variable extends Stamps {
  uuid: string;
  key: string;
  value: string | null;
  comment: string | null;
  is_preview: boolean;
  is_literal: boolean;
  is_multiline: boolean;
  is_shown_once: boolean;
  is_runtime: boolean;
  is_buildtime: boolean;
}

export interface Volume extends Stamps {
  id: number;
  uuid: string;
  /** As docker knows it: `<application uuid>-<name>`. */
  name: string;
  mount_path: string;
  host_path: string | null;
}

export interface FileStorage extends Stamps {
  id: number;
  uuid: string;
  fs_path: string;
  mount_path: string;
  content: string | null;
  is_directory: boolean;
}

export interface Tag extends Stamps {
  uuid: string;
  name: string;
}

/** What runs, as it was configured when its deployment began. */
export interface Container {
  name: string;
  image: string;
  env: Record<string, string>;
  limits: Limits;
  domains: string | null;
  volumes: string[];
  deploymentUuid: string;
  startedAt: Date;
  restarting: boolean;
  logs: string[];
}

export type Limits = Pick<
  Columns,
  | "limits_cpus"
  | "limits_cpuset"
  | "limits_cpu_shares"
  | "limits_memory"
  | "limits_memory_reservation"
  | "limits_memory_swap"
  | "limits_memory_swappiness"
>;

export interface Application extends Stamps {
  id: number;
  uuid: string;
  columns: Columns;
  settings: Settings;
  /** `<state>:<health>`, as it was last stored, not as it is. */
  status: string;
  labelsAreBase64: boolean;
  environment: Environment;
  destination: Destination;
  tags: Tag[];
  variables: Variable[];
  volumes: Volume[];
  files: FileStorage[];
  /** Oldest first. */
  deployments: Deployment[];
  container: Container | null;
  /** A deletion is queued; until it ran the application answers as before. */
  deleting: boolean;
  /** Stops that are queued. */
  stops: number;
}

export type DeploymentStatus = "queued" | "in_progress" | "finished" | "failed" | "cancelled-by-user";

export interface Deployment extends Stamps {
  id: number;
  uuid: string;
  application: Application;
  status: DeploymentStatus;
  force: boolean;
  restartOnly: boolean;
  /** The request that queued it. */
  cause: Cause;
  logs: string | null;
  configurationHash: string | null;
  /** Of the worker's job; null until one took it. */
  jobId: string | null;
  processId: string | null;
  finishedAt: string | null;
  /** Call off what is to come. */
  callOffs: (() => void)[];
}

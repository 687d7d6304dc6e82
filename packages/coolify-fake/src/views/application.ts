import type { Application } from "../state.ts";
import { isReachable, type World } from "../world.ts";
import { environmentRow, projectRow, teamRow } from "./project.ts";
import { destinationRow, serverRow } from "./server.ts";

/** Shown only with read:sensitive or root. */
const SENSITIVE = [
  "custom_labels",
  "docker_compose",
  "docker_compose_raw",
  "dockerfile",
  "http_basic_auth_password",
  "manual_webhook_secret_bitbucket",
  "manual_webhook_secret_gitea",
  "manual_webhook_secret_github",
  "manual_webhook_secret_gitlab",
] as const;

/** GET /applications/{uuid}. */
export const applicationAlone = (world: World, application: Application, sensitive: boolean) => ({
  ...applicationInList(world, application, sensitive),
  settings: { ...application.settings },
});

/** An element of GET /applications: all but the settings. */
export const applicationInList = (world: World, application: Application, sensitive: boolean) => ({
  ...row(world, application, sensitive),
  ...(sensitive ? { private_key_id: null } : {}),
  environment: environmentOf(application),
});

/** The application within its deployments. */
export const applicationInDeployment = (world: World, application: Application) => ({
  ...applicationOfStorage(world, application),
  environment: environmentOf(application),
});

/** The application within its storages. */
export const applicationOfStorage = (world: World, application: Application) => ({
  id: application.id,
  private_key_id: null,
  ...row(world, application, false),
});

function row(world: World, application: Application, sensitive: boolean) {
  const { uuid, columns, status, destination, environment, created_at, updated_at } = application;
  const shown: Record<string, unknown> = { uuid, ...columns };
  if (!sensitive) for (const column of SENSITIVE) delete shown[column];
  return {
    ...shown,
    additional_networks_count: 0,
    additional_servers: [],
    additional_servers_count: 0,
    destination: { ...destinationRow(destination), server: serverRow(world, destination.server, sensitive) },
    destination_id: destination.id,
    destination_type: "App\\Models\\StandaloneDocker",
    environment_id: environment.id,
    server_status: isReachable(world),
    status,
    created_at,
    updated_at,
  };
}

const environmentOf = ({ environment }: Application) => ({
  ...environmentRow(environment),
  project: { ...projectRow(environment.project), team: teamRow(environment.project) },
});

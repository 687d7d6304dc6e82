import { createFaults, type Cause } from "./faults.ts";
import { createIds } from "./ids.ts";
import type { Options, ServerOptions } from "./options.ts";
import { createRequestLog } from "./requests.ts";
import type { Application, Deployment, Destination, Environment, Project, Server, Stamps } from "./state.ts";
import { createThrottle } from "./throttle.ts";
import { createSteppedTimers, createTimers } from "./timers.ts";
import { createTokens } from "./tokens.ts";

const DEFAULT_CPUS = 64;

export type World = ReturnType<typeof createWorld>;

/** One Coolify: everything it stores, in memory. It starts with its servers and one project. */
export function createWorld(options: Options) {
  const ids = createIds(options.seed);
  const world = {
    options,
    ids,
    timers: options.isStepped ? createSteppedTimers() : createTimers(),
    faults: createFaults(),
    tokens: createTokens(ids),
    throttle: createThrottle(options.rateLimit?.perMinute ?? null),
    received: createRequestLog(),
    apiEnabled: true,
    servers: new Map<string, Server>(),
    destinations: new Map<string, Destination>(),
    projects: new Map<string, Project>(),
    environments: new Map<string, Environment>(),
    applications: new Map<string, Application>(),
    deployments: new Map<string, Deployment>(),
    /** Those that are queued or run, oldest first. */
    activeDeployments: new Set<Deployment>(),
    dockerVolumes: new Set<string>(),
    /** Containers whose application was deleted while their server could not be reached. */
    leftContainers: new Set<string>(),
    /** Volumes likewise: they exist, and belong to nobody. */
    leftVolumes: new Set<string>(),
  };
  for (const server of options.servers) addServer(world, server);
  addProject(world, "seed-project", "seeded");
  return world;
}

function addServer(world: World, given: ServerOptions): Server {
  const { options, ids } = world;
  const id = ids.next("server") - 1;
  const proxy = given.proxyType ?? options.proxyType;
  const server: Server = {
    id,
    uuid: ids.uuid(),
    name: given.name ?? (id === 0 ? "localhost" : `server-${id}`),
    ip: given.ip ?? `127.0.0.${id + 1}`,
    proxyType: proxy === "none" ? "NONE" : proxy === "caddy" ? "CADDY" : "TRAEFIK",
    wildcardDomain: given.wildcardDomain === undefined ? options.wildcardDomain : given.wildcardDomain,
    concurrentBuilds: given.concurrentBuilds ?? options.concurrentBuilds,
    queueLimit: given.queueLimit ?? options.queueLimit,
    cpus: given.cpus ?? DEFAULT_CPUS,
    ...stamps(),
  };
  world.servers.set(server.uuid, server);
  addDestination(world, server, "coolify", "coolify");
  return server;
}

export function addDestination(world: World, server: Server, name: string, network: string): Destination {
  const { ids } = world;
  const destination = { id: ids.next("destination") - 1, uuid: ids.uuid(), name, network, server, ...stamps() };
  world.destinations.set(destination.uuid, destination);
  return destination;
}

/** A project comes with an environment `production`. */
export function addProject(world: World, name: string, description: string | null): Project {
  const project = { id: world.ids.next("project"), uuid: world.ids.uuid(), name, description, ...stamps() };
  world.projects.set(project.uuid, project);
  addEnvironment(world, project, "production");
  return project;
}

export function addEnvironment(world: World, project: Project, name: string): Environment {
  const environment = { id: world.ids.next("environment"), uuid: world.ids.uuid(), name, project, ...stamps() };
  world.environments.set(environment.uuid, environment);
  return environment;
}

export const destinationsOf = (world: World, server: Server) =>
  [...world.destinations.values()].filter((destination) => destination.server === server);

export const environmentsOf = (world: World, project: Project) =>
  [...world.environments.values()].filter((environment) => environment.project === project);

export const isReachable = (world: World) => !world.faults.holds("server_unreachable");

/** Whether a proxy runs that labels are made for. */
export const hasProxy = (world: World, server: Server, cause: Cause) =>
  server.proxyType !== "NONE" && world.faults.take("proxy_none", cause) === undefined;

export const timestamp = (at = new Date()) => `${at.toISOString().slice(0, 19)}.000000Z`;
export const databaseTime = (at = new Date()) => at.toISOString().slice(0, 19).replace("T", " ");

export function stamps(): Stamps {
  const now = timestamp();
  return { created_at: now, updated_at: now };
}

import type { Answer } from "./answer.ts";
import type { Fault } from "./faults.ts";
import { type CoolifyFakeOptions, withDefaults } from "./options.ts";
import type { ReceivedRequest } from "./requests.ts";
import { respond } from "./respond.ts";
import { type ApplicationSnapshot, snapshots } from "./snapshot.ts";
import type { TokenName } from "./tokens.ts";
import { createWorld, destinationsOf, environmentsOf, type World } from "./world.ts";

export interface CoolifyFake {
  /** Without `/api/v1`. */
  url: string;
  tokens: Record<TokenName, string>;
  projectUuid: string;
  /** The first server. */
  serverUuid: string;
  serverUuids: string[];
  destinationUuid: string;
  environmentName: string;
  /** Those whose deletion has not run yet are among them. */
  applications(): ApplicationSnapshot[];
  requests(): ReceivedRequest[];
  /** Names of the docker volumes that exist. */
  volumes(): string[];
  /** Those of them that a deletion left on a server it could not reach. */
  leftVolumes(): string[];
  /** Names of the containers that exist, with those a deletion left on a server it could not reach. */
  containers(): string[];
  faults: { add(fault: Fault): () => void; clear(): void };
  /** With `isStepped`: lets happen what comes next, and tells whether there was anything. */
  step(): boolean;
  /** Makes Coolify see an application like this, `running:unhealthy` for one, until it changes by itself. */
  shows(uuid: string, status: string): void;
  /** Ends the server with its connections, and everything that was still to come. */
  close(): Promise<void>;
}

/** Starts a Coolify 4.3.10 of its own on loopback. Its state is in memory and ends with `close`. */
export function startCoolifyFake(options: CoolifyFakeOptions = {}): CoolifyFake {
  const world = createWorld(withDefaults(options));
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: world.options.port,
    development: false,
    idleTimeout: 0,
    fetch: (request) => receive(world, request),
  });
  const [project] = world.projects.values();
  const [first] = world.servers.values();
  if (!project || !first) throw new Error("The fake needs at least one server.");
  return {
    url: `http://127.0.0.1:${server.port}`,
    tokens: world.tokens.texts,
    projectUuid: project.uuid,
    serverUuid: first.uuid,
    serverUuids: [...world.servers.keys()],
    destinationUuid: destinationsOf(world, first)[0]?.uuid ?? "",
    environmentName: environmentsOf(world, project)[0]?.name ?? "",
    applications: () => snapshots(world),
    requests: world.received.list,
    volumes: () => [...world.dockerVolumes],
    leftVolumes: () => [...world.leftVolumes],
    containers: () => [...runningNames(world), ...world.leftContainers],
    faults: { add: (fault) => world.faults.add(fault), clear: () => world.faults.clear() },
    step: () => world.timers.step(),
    shows(uuid, status) {
      const application = world.applications.get(uuid);
      if (!application) throw new Error(`There is no application ${uuid}.`);
      application.status = status;
    },
    async close() {
      world.timers.clear();
      world.faults.clear();
      await server.stop(true);
    },
  };
}

async function receive(world: World, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const path = pathname.startsWith("/api/v1/") ? pathname.slice("/api/v1".length) : pathname;
  const raw = await request.text();
  const { method, headers } = request;
  const received = { method, path, query: searchParams, headers, raw, token: null };
  const token = world.tokens.find(headers.get("authorization"));
  const slow = world.faults.take("slow", received);
  if (slow) await new Promise<void>((resolve) => world.timers.after(slow.ms ?? 0, resolve));
  const lost = world.faults.take("lost_request", received) !== undefined;
  const answer = lost ? null : respond(world, { ...received, token });
  const cut = answer === null || world.faults.take("lost_answer", received) !== undefined;
  world.received.add({
    method,
    path: pathname + new URL(request.url).search,
    token: token?.name ?? null,
    body: bodyOf(raw),
    status: cut ? null : answer.status,
    atMs: Date.now(),
  });
  return cut ? cutConnection() : response(answer);
}

function response({ status, json, text, headers }: Answer): Response {
  const common = { "access-control-allow-origin": "*", ...headers };
  if (text !== undefined) {
    return new Response(text, { status, headers: { "content-type": "text/html; charset=utf-8", ...common } });
  }
  return new Response(JSON.stringify(json), { status, headers: { "content-type": "application/json", ...common } });
}

/** A body that fails before its first byte makes Bun close the connection without any answer. */
function cutConnection(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error(undefined) }));
}

function bodyOf(raw: string): unknown {
  if (raw === "") return null;
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}

function* runningNames(world: World) {
  for (const { container } of world.applications.values()) if (container) yield container.name;
}

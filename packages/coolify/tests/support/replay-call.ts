import type { ApplicationLeftovers, CoolifyClient, DeployTarget, EnvPair } from "../../src/index.ts";
import { isRecord, type Recorded } from "./recorded.ts";

/** The client's call for a recorded exchange, and what it must send. */
export interface ReplayCall {
  run: (client: CoolifyClient) => Promise<unknown>;
  /** The query Coolify accepted, with the defaults the client writes out. */
  query: Record<string, string>;
  /** The body Coolify accepted, in the client's form of it; undefined for none. */
  body: unknown;
}

/**
 * The client's counterpart of a recorded exchange, or null when it has none. The casts hand over recorded values
 * of any type: the client has to refuse a wrong one itself.
 */
export function replayCall(exchange: Recorded): ReplayCall | null {
  const { method, route, query, ids } = exchange;
  const [id = "", second = ""] = ids;
  const body = isRecord(exchange.request_json) ? exchange.request_json : {};
  const plain = (run: ReplayCall["run"], sent?: unknown): ReplayCall => ({ run, query, body: sent });
  switch (`${method} ${route}`) {
    case "GET /health":
      return exchange.path === "/api/health" ? plain((client) => client.health()) : null;
    case "GET /version":
      return plain((client) => client.version());
    case "GET /servers":
      return plain((client) => client.listServers());
    case "GET /servers/{id}":
      return plain((client) => client.getServer(id));
    case "GET /servers/{id}/destinations":
      return plain((client) => client.listDestinations(id));
    case "GET /projects":
      return plain((client) => client.listProjects());
    case "POST /projects":
      return plain((client) => client.createProject(body as { name: string }), body);
    case "GET /projects/{id}":
      return plain((client) => client.getProject(id));
    case "DELETE /projects/{id}":
      return plain((client) => client.deleteProject(id));
    case "GET /projects/{id}/environments":
      return plain((client) => client.listEnvironments(id));
    case "POST /projects/{id}/environments":
      return plain((client) => client.createEnvironment(id, body as { name: string }), body);
    case "GET /projects/{id}/production":
    case "GET /projects/{id}/staging":
      return plain((client) => client.getEnvironment(id, route.split("/").at(-1) ?? ""));
    default:
      return applicationCall(exchange, { id, second, body, plain }) ?? deploymentCall(exchange, { id, plain });
  }
}

type Plain = (run: ReplayCall["run"], sent?: unknown) => ReplayCall;

function applicationCall(
  exchange: Recorded,
  { id, second, body, plain }: { id: string; second: string; body: Record<string, unknown>; plain: Plain },
): ReplayCall | null {
  const { method, route, query } = exchange;
  switch (`${method} ${route}`) {
    case "POST /applications/dockerimage": {
      const { project_uuid, server_uuid, docker_registry_image_name, docker_registry_image_tag, ...rest } = body;
      const image = imageOf(docker_registry_image_name, docker_registry_image_tag);
      const fields = { autogenerate_domain: true, instant_deploy: false, ...rest };
      return plain(
        (client) =>
          client.createDockerImageApp((project_uuid ?? "") as string, (server_uuid ?? "") as string, {
            ...fields,
            image,
          }),
        { project_uuid, server_uuid, ...fields, ...storedImage(docker_registry_image_name, docker_registry_image_tag) },
      );
    }
    case "GET /applications":
      return plain((client) => client.listApplications({ tag: query["tag"] }));
    case "GET /applications/{id}":
      return plain((client) => client.getApplication(id));
    case "PATCH /applications/{id}": {
      const { docker_registry_image_name: name, docker_registry_image_tag: tag, ...rest } = body;
      const fields = name === undefined ? rest : { ...rest, image: imageOf(name, tag) };
      return plain((client) => client.updateApplication(id, fields), body);
    }
    case "DELETE /applications/{id}": {
      const names = ["delete_volumes", "delete_configurations", "docker_cleanup", "delete_connected_networks"];
      const flags = Object.fromEntries(names.map((name) => [name, !["false", "0", "no"].includes(query[name] ?? "")]));
      return {
        ...plain((client) => client.deleteApplication(id, flags as unknown as ApplicationLeftovers)),
        query: texts(flags),
      };
    }
    case "POST /applications/{id}/start":
      return plain((client) => client.startApplication(id, { force: query["force"] === "true" }));
    case "POST /applications/{id}/restart":
      return plain((client) => client.restartApplication(id));
    case "POST /applications/{id}/stop": {
      const flags = { docker_cleanup: query["docker_cleanup"] !== "false" };
      return { ...plain((client) => client.stopApplication(id, flags)), query: texts(flags) };
    }
    case "GET /applications/{id}/logs": {
      const lines = Number(query["lines"] ?? 100);
      return { ...plain((client) => client.applicationLogs(id, { lines })), query: { lines: "100", ...query } };
    }
    case "GET /applications/{id}/envs":
      return plain((client) => client.listEnvs(id));
    case "POST /applications/{id}/envs":
      return plain((client) => client.createEnv(id, body as unknown as EnvPair), pair(body));
    case "PATCH /applications/{id}/envs":
      return plain((client) => client.updateEnv(id, body as unknown as EnvPair), pair(body));
    case "PATCH /applications/{id}/envs/bulk": {
      const data = (body["data"] ?? []) as EnvPair[];
      return plain((client) => client.bulkUpdateEnvs(id, data), { data: data.map((item) => pair({ ...item })) });
    }
    case "DELETE /applications/{id}/envs/{id}":
      return plain((client) => client.deleteEnv(id, second));
    case "GET /applications/{id}/storages":
      return plain((client) => client.listStorages(id));
    case "POST /applications/{id}/storages":
      return plain((client) => client.createStorage(id, body as { name: string; mount_path: string }), body);
    case "DELETE /applications/{id}/storages/{id}":
      return plain((client) => client.deleteStorage(id, second));
    default:
      return null;
  }
}

function deploymentCall(exchange: Recorded, { id, plain }: { id: string; plain: Plain }): ReplayCall | null {
  const { method, route, query } = exchange;
  switch (`${method} ${route}`) {
    case "POST /deploy":
      return plain((client) => client.deploy({ ...query, force: query["force"] === "true" } as DeployTarget));
    case "GET /deployments":
      return plain((client) => client.listDeployments());
    case "GET /deployments/{id}":
      return plain((client) => client.getDeployment(id));
    case "POST /deployments/{id}/cancel":
      return plain((client) => client.cancelDeployment(id));
    case "GET /deployments/applications/{id}": {
      const pages = { take: Number(query["take"] ?? 10), skip: Number(query["skip"] ?? 0) };
      return { ...plain((client) => client.listApplicationDeployments(id, pages)), query: texts(pages) };
    }
    default:
      return null;
  }
}

/** The variables' flags are the client's own choice: what must match is the key and the value. */
function pair(item: Record<string, unknown>) {
  return { key: item["key"], value: item["value"] };
}

/** The full reference that the two recorded fields mean. */
function imageOf(name: unknown, tag: unknown): string {
  if (typeof name !== "string") return "";
  if (typeof tag !== "string" || tag === "") return name;
  return /^[0-9a-f]{64}$/.test(tag) && !name.endsWith("@sha256") ? `${name}@sha256:${tag}` : `${name}:${tag}`;
}

/** What Coolify stores for the two fields of a create, as it was read back from it. */
function storedImage(name: unknown, tag: unknown): Record<string, unknown> {
  const image = imageOf(name, tag);
  const digest = /^(.*@sha256):([0-9a-f]{64})$/.exec(image);
  const tagged = /^(.*):([^/:]+)$/.exec(image);
  const [, stored = image, storedTag = "latest"] = digest ?? tagged ?? [];
  return { docker_registry_image_name: stored, docker_registry_image_tag: storedTag };
}

function texts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

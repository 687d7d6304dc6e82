import type { Handler } from "./call.ts";
import { deleteApplication, getApplication, listApplications } from "./handlers/applications.ts";
import { deploy, restartApplication, startApplication, stopApplication } from "./handlers/control.ts";
import { createApplication } from "./handlers/create-application.ts";
import {
  cancelDeployment,
  getDeployment,
  listApplicationDeployments,
  listDeployments,
} from "./handlers/deployments.ts";
import { disable, enable, health, team, version } from "./handlers/instance.ts";
import { applicationLogs } from "./handlers/logs.ts";
import { moveApplication } from "./handlers/move.ts";
import { patchApplication } from "./handlers/patch-application.ts";
import * as projects from "./handlers/projects.ts";
import * as servers from "./handlers/servers.ts";
import { createStorage, deleteStorage, listStorages, patchStorage } from "./handlers/storages.ts";
import { createTag, listTags } from "./handlers/tags.ts";
import { createVariable, deleteVariable, listVariables, patchVariable, patchVariables } from "./handlers/variables.ts";
import type { Ability } from "./tokens.ts";

interface Route {
  method: string;
  /** After `/api/v1`; `{name}` stands for one segment. The first that fits is taken. */
  pattern: string;
  /** null: no token is asked for. */
  ability: Ability | null;
  handler: Handler;
}

const route = (method: string, pattern: string, ability: Ability | null, handler: Handler): Route => ({
  method,
  pattern,
  ability,
  handler,
});

const ROUTES: Route[] = [
  route("GET", "/health", null, health),
  route("GET", "/version", "read", version),
  route("GET", "/team", "read", team),
  route("GET", "/teams/current", "read", team),
  route("POST", "/enable", "write", enable),
  route("POST", "/disable", "write", disable),

  route("GET", "/servers", "read", servers.listServers),
  route("GET", "/servers/{uuid}", "read", servers.getServer),
  route("PATCH", "/servers/{uuid}", "write", servers.patchServer),
  route("GET", "/servers/{uuid}/resources", "read", servers.serverResources),
  route("GET", "/servers/{uuid}/destinations", "read", servers.listDestinations),
  route("POST", "/servers/{uuid}/destinations", "write", servers.createDestination),
  route("DELETE", "/destinations/{uuid}", "write", servers.deleteDestination),

  route("GET", "/projects", "read", projects.listProjects),
  route("POST", "/projects", "write", projects.createProject),
  route("GET", "/projects/{uuid}", "read", projects.getProject),
  route("DELETE", "/projects/{uuid}", "write", projects.deleteProject),
  route("GET", "/projects/{uuid}/environments", "read", projects.listEnvironments),
  route("POST", "/projects/{uuid}/environments", "write", projects.createEnvironment),
  route("GET", "/projects/{uuid}/{environment}", "read", projects.getEnvironment),

  route("GET", "/applications", "read", listApplications),
  route("POST", "/applications/dockerimage", "write", createApplication),
  route("GET", "/applications/{uuid}", "read", getApplication),
  route("PATCH", "/applications/{uuid}", "write", patchApplication),
  route("DELETE", "/applications/{uuid}", "write", deleteApplication),
  route("POST", "/applications/{uuid}/start", "deploy", startApplication),
  route("POST", "/applications/{uuid}/restart", "deploy", restartApplication),
  route("POST", "/applications/{uuid}/stop", "deploy", stopApplication),
  route("POST", "/applications/{uuid}/move", "write", moveApplication),
  route("GET", "/applications/{uuid}/logs", "read", applicationLogs),
  route("GET", "/applications/{uuid}/tags", "read", listTags),
  route("POST", "/applications/{uuid}/tags", "write", createTag),
  route("GET", "/applications/{uuid}/envs", "read", listVariables),
  route("POST", "/applications/{uuid}/envs", "write", createVariable),
  route("PATCH", "/applications/{uuid}/envs", "write", patchVariable),
  route("PATCH", "/applications/{uuid}/envs/bulk", "write", patchVariables),
  route("DELETE", "/applications/{uuid}/envs/{variable}", "write", deleteVariable),
  route("GET", "/applications/{uuid}/storages", "read", listStorages),
  route("POST", "/applications/{uuid}/storages", "write", createStorage),
  route("PATCH", "/applications/{uuid}/storages", "write", patchStorage),
  route("DELETE", "/applications/{uuid}/storages/{storage}", "write", deleteStorage),

  route("POST", "/deploy", "deploy", deploy),
  route("GET", "/deployments", "read", listDeployments),
  route("GET", "/deployments/applications/{uuid}", "read", listApplicationDeployments),
  route("GET", "/deployments/{uuid}", "read", getDeployment),
  route("POST", "/deployments/{uuid}/cancel", "deploy", cancelDeployment),
];

/** Were GET once, and say so. */
const POST_ONLY = [
  "/deploy",
  "/applications/{uuid}/start",
  "/applications/{uuid}/restart",
  "/applications/{uuid}/stop",
];

const segmentsOf = (path: string) => path.split("/").slice(1);
const compiled = ROUTES.map((entry) => ({ ...entry, segments: segmentsOf(entry.pattern) }));
const postOnly = POST_ONLY.map(segmentsOf);

export interface Match {
  ability: Ability | null;
  handler: Handler;
  params: Record<string, string>;
}

/** The route of a path after `/api/v1`, "use_post" where a GET has become a POST, or null. */
export function findRoute(method: string, path: string): Match | "use_post" | null {
  const segments = segmentsOf(path);
  for (const { method: accepted, segments: pattern, ability, handler } of compiled) {
    if (accepted !== method) continue;
    const params = match(pattern, segments);
    if (params) return { ability, handler, params };
  }
  return method === "GET" && postOnly.some((pattern) => match(pattern, segments)) ? "use_post" : null;
}

function match(pattern: string[], segments: string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const segment = segments[at] ?? "";
    if (part.startsWith("{")) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

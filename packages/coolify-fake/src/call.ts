import { refuse, says } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Cause } from "./faults.ts";
import type { Application, Deployment, Project, Server } from "./state.ts";
import { can, type Token } from "./tokens.ts";
import type { World } from "./world.ts";

/** A request that may be handled: its route is known and its token has the ability. */
export interface Call extends Cause {
  query: URLSearchParams;
  headers: Headers;
  raw: string;
  token: Token | null;
  params: Record<string, string>;
}

export type Handler = (world: World, call: Call) => Answer;

export const seesSecrets = ({ token }: Call) => can(token, "read:sensitive");

/** Coolify writes the message with a dot in some calls and without in others. */
export function applicationOf(world: World, call: Call, message = "Application not found."): Application {
  return world.applications.get(call.params["uuid"] ?? "") ?? refuse(says(404, message));
}

export function serverOf(world: World, call: Call): Server {
  return world.servers.get(call.params["uuid"] ?? "") ?? refuse(says(404, "Server not found."));
}

export function projectOf(world: World, call: Call): Project {
  return world.projects.get(call.params["uuid"] ?? "") ?? refuse(says(404, "Project not found."));
}

export function deploymentOf(world: World, call: Call): Deployment {
  return world.deployments.get(call.params["uuid"] ?? "") ?? refuse(says(404, "Deployment not found."));
}

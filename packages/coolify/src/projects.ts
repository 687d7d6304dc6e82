import { z } from "zod";
import { type FieldError, unsafeValue } from "./errors.ts";
import { descriptionProblem, environmentNameProblem, projectNameProblem, textProblem } from "./guards.ts";
import { Created, Destination, Environment, EnvironmentDetail, Project, Said, Server } from "./schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Where applications live: servers with their networks, projects with their environments. */
export function createProjects({ ask }: Transport) {
  return {
    listServers: (options: CallOptions = {}): Promise<Server[]> =>
      ask({ method: "GET", route: "/servers", ...options }, z.array(Server)),

    /** With the proxy's type and status, which the list lacks. */
    getServer: (uuid: string, options: CallOptions = {}): Promise<Server> =>
      ask({ method: "GET", route: "/servers/{uuid}", parameters: { uuid }, ...options }, Server),

    listDestinations: (serverUuid: string, options: CallOptions = {}): Promise<Destination[]> =>
      ask(
        { method: "GET", route: "/servers/{uuid}/destinations", parameters: { uuid: serverUuid }, ...options },
        z.array(Destination),
      ),

    /** Without their environments. */
    listProjects: (options: CallOptions = {}): Promise<Project[]> =>
      ask({ method: "GET", route: "/projects", ...options }, z.array(Project)),

    getProject: (uuid: string, options: CallOptions = {}): Promise<Project> =>
      ask({ method: "GET", route: "/projects/{uuid}", parameters: { uuid }, ...options }, Project),

    /** Comes with an environment named production. Names are not unique. */
    async createProject(
      { name, description }: { name: string; description?: string | undefined },
      options: CallOptions = {},
    ): Promise<Created> {
      refuse("name", textProblem(name, projectNameProblem));
      if (description !== undefined) refuse("description", textProblem(description, descriptionProblem));
      return ask({ method: "POST", route: "/projects", body: { name, description }, ...options }, Created);
    },

    /** `invalid_request` while it has resources. */
    async deleteProject(uuid: string, options: CallOptions = {}): Promise<void> {
      await ask({ method: "DELETE", route: "/projects/{uuid}", parameters: { uuid }, ...options }, Said);
    },

    listEnvironments: (projectUuid: string, options: CallOptions = {}): Promise<Environment[]> =>
      ask(
        { method: "GET", route: "/projects/{uuid}/environments", parameters: { uuid: projectUuid }, ...options },
        z.array(Environment),
      ),

    /** `already_exists` when the project has one of that name. */
    async createEnvironment(
      projectUuid: string,
      { name }: { name: string },
      options: CallOptions = {},
    ): Promise<Created> {
      refuse("name", textProblem(name, environmentNameProblem));
      const parameters = { uuid: projectUuid };
      return ask(
        { method: "POST", route: "/projects/{uuid}/environments", parameters, body: { name }, ...options },
        Created,
      );
    },

    /** With its applications. */
    getEnvironment: (projectUuid: string, nameOrUuid: string, options: CallOptions = {}): Promise<EnvironmentDetail> =>
      ask(
        {
          method: "GET",
          route: "/projects/{uuid}/{environment}",
          parameters: { uuid: projectUuid, environment: nameOrUuid },
          ...options,
        },
        EnvironmentDetail,
      ),
  };
}

function refuse(path: FieldError["path"], message: string | null): void {
  if (message !== null) throw unsafeValue([{ path, message }]);
}

import { z } from "zod";
import { type ApplicationPatch, type NewApplication, newApplicationFields, patchFields } from "./application-fields.ts";
import { unsafeValue } from "./errors.ts";
import { identifierProblem } from "./guards.ts";
import { imageReference } from "./image-reference.ts";
import { Application, Created, CreatedApplication, Logs, Said, Triggered } from "./schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** What a start or restart led to; the id is null, or of a deployment that does not exist, as `currentDeployment` says. */
export interface Trigger {
  deploymentUuid: string | null;
  message: string;
}

/** What a delete takes along. Coolify's own default for each is true. */
export interface ApplicationLeftovers {
  delete_volumes: boolean;
  delete_configurations: boolean;
  docker_cleanup: boolean;
  delete_connected_networks: boolean;
}

const one = "/applications/{uuid}";

export function createApplications({ ask }: Transport) {
  /** POST of a verb that queues a deployment. Always POST: older releases take it too. */
  async function trigger(
    verb: "start" | "restart",
    uuid: string,
    { force, ...rest }: { force?: boolean | undefined } & CallOptions,
  ): Promise<Trigger> {
    const query = force === true ? { force } : {};
    const answer = await ask(
      { method: "POST", route: `${one}/${verb}`, parameters: { uuid }, query, ...rest },
      Triggered,
    );
    return { deploymentUuid: answer.deployment_uuid ?? null, message: answer.message };
  }

  return {
    /**
     * Makes an application of an image and, unless `instant_deploy`, starts nothing. Names are not unique and there is
     * no idempotency key: look for the name first. `domains` is what Coolify stored.
     */
    async createDockerImageApp(
      projectUuid: string,
      serverUuid: string,
      fields: NewApplication,
      options: CallOptions = {},
    ): Promise<{ uuid: string; domains: string | null }> {
      const { image, instant_deploy = false, autogenerate_domain = false, ...rest } = newApplicationFields(fields);
      const body = {
        project_uuid: identifier("projectUuid", projectUuid),
        server_uuid: identifier("serverUuid", serverUuid),
        ...rest,
        ...imageReference(image),
        instant_deploy,
        autogenerate_domain,
      };
      const { uuid, domains } = await ask(
        { method: "POST", route: "/applications/dockerimage", body, ...options },
        CreatedApplication,
      );
      return { uuid, domains: domains ?? null };
    },

    getApplication: (uuid: string, options: CallOptions = {}): Promise<Application> =>
      ask({ method: "GET", route: one, parameters: { uuid }, ...options }, Application),

    /** All of the team's, in no order; the elements lack `settings`. */
    listApplications: ({ tag, ...options }: { tag?: string | undefined } & CallOptions = {}): Promise<Application[]> =>
      ask({ method: "GET", route: "/applications", query: { tag }, ...options }, z.array(Application)),

    /** Changes what is stored; a running container has it after the next start or restart. */
    async updateApplication(uuid: string, fields: ApplicationPatch, options: CallOptions = {}): Promise<Created> {
      const { image, ...rest } = patchFields(fields);
      const body = { ...rest, ...(image === undefined ? {} : imageReference(image)) };
      // With instant_deploy while a deployment is queued the answer is only a message; the change is stored all the same.
      const answer = await ask(
        { method: "PATCH", route: one, parameters: { uuid }, body, ...options },
        z.union([Created, Said]),
      );
      return Created.safeParse(answer).data ?? { ...answer, uuid };
    },

    /** Queues the deletion: until it ran, GET still answers, and the domains stay taken. */
    async deleteApplication(uuid: string, leftovers: ApplicationLeftovers, options: CallOptions = {}): Promise<void> {
      const { delete_volumes, delete_configurations, docker_cleanup, delete_connected_networks } = leftovers;
      const query = { delete_volumes, delete_configurations, docker_cleanup, delete_connected_networks };
      await ask({ method: "DELETE", route: one, parameters: { uuid }, query, ...options }, Said);
    },

    /** With `force` there is always a new deployment, after the one that runs. */
    startApplication: (uuid: string, options: { force?: boolean | undefined } & CallOptions = {}): Promise<Trigger> =>
      trigger("start", uuid, options),

    /** A full redeploy: it applies what was changed since. */
    restartApplication: (uuid: string, options: CallOptions = {}): Promise<Trigger> =>
      trigger("restart", uuid, options),

    /** Removes the container; volumes stay. `docker_cleanup` would prune unused images of the whole server. */
    async stopApplication(
      uuid: string,
      { docker_cleanup = false, ...options }: { docker_cleanup?: boolean | undefined } & CallOptions = {},
    ): Promise<Trigger> {
      const request = {
        method: "POST",
        route: `${one}/stop`,
        parameters: { uuid },
        query: { docker_cleanup },
      } as const;
      const answer = await ask({ ...request, ...options }, Triggered);
      return { deploymentUuid: answer.deployment_uuid ?? null, message: answer.message };
    },

    /**
     * The last `lines` (1 to 10,000) of the container's output, with `timestamps` each behind its ISO 8601 time and a
     * blank; `not_running` when there is no container.
     */
    async applicationLogs(
      uuid: string,
      {
        lines = 100,
        timestamps = false,
        ...options
      }: { lines?: number | undefined; timestamps?: boolean | undefined } & CallOptions = {},
    ): Promise<string> {
      if (!Number.isInteger(lines) || lines < 1 || lines > 10_000) {
        throw unsafeValue([{ path: "lines", message: "must be a whole number from 1 to 10000" }]);
      }
      const query = { lines, ...(timestamps ? { show_timestamps: true } : {}) };
      const request = { method: "GET", route: `${one}/logs`, parameters: { uuid }, query } as const;
      return (await ask({ ...request, ...options }, Logs)).logs;
    },
  };
}

function identifier(path: string, value: string): string {
  const message = identifierProblem(value);
  if (message !== null) throw unsafeValue([{ path, message }]);
  return value;
}

import { z } from "zod";
import type { Trigger } from "./applications.ts";
import { unsafeValue } from "./errors.ts";
import { Deployed, Deployment, DeploymentList, Said } from "./schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** One resource of a `/deploy`. */
export interface DeployedResource extends Trigger {
  resourceUuid: string;
}

/** What to deploy: one application, or all with a tag. */
export type DeployTarget = ({ uuid: string; tag?: never } | { tag: string; uuid?: never }) & {
  /** Queues a new deployment even when one is queued or running. */
  force?: boolean | undefined;
};

export function createDeployments({ ask }: Transport) {
  return {
    /** The one call that says so, with `queue_full`, when the server's deployment queue is full. */
    async deploy(
      { uuid, tag, force }: DeployTarget,
      options: CallOptions = {},
    ): Promise<{ deployments: DeployedResource[] }> {
      const name = uuid ?? tag ?? "";
      // A comma would make it a list, of which Coolify drops the unknown ones silently.
      if (!/^[^\s,]+$/.test(name)) {
        throw unsafeValue([{ path: uuid === undefined ? "tag" : "uuid", message: "must be one name, without commas" }]);
      }
      const query = { uuid, tag, ...(force === true ? { force } : {}) };
      const answer = await ask({ method: "POST", route: "/deploy", query, ...options }, Deployed);
      return { deployments: triggers(answer) };
    },

    getDeployment: (uuid: string, options: CallOptions = {}): Promise<Deployment> =>
      ask({ method: "GET", route: "/deployments/{uuid}", parameters: { uuid }, ...options }, Deployment),

    /** The team's queued and running ones. */
    listDeployments: (options: CallOptions = {}): Promise<Deployment[]> =>
      ask({ method: "GET", route: "/deployments", ...options }, z.array(Deployment)),

    /** An application's, newest first. */
    async listApplicationDeployments(
      uuid: string,
      { take = 10, skip = 0, ...options }: { take?: number | undefined; skip?: number | undefined } & CallOptions = {},
    ): Promise<z.infer<typeof DeploymentList>> {
      if (!Number.isInteger(take) || take < 1 || !Number.isInteger(skip) || skip < 0) {
        throw unsafeValue([{ path: "take", message: "must be a whole number from 1, and skip one from 0" }]);
      }
      const route = "/deployments/applications/{uuid}";
      return ask({ method: "GET", route, parameters: { uuid }, query: { skip, take }, ...options }, DeploymentList);
    },

    /** `not_cancellable` when it has ended; the container that ran before keeps running. */
    async cancelDeployment(uuid: string, options: CallOptions = {}): Promise<void> {
      await ask({ method: "POST", route: "/deployments/{uuid}/cancel", parameters: { uuid }, ...options }, Said);
    },
  };
}

function triggers(answer: z.infer<typeof Deployed>): DeployedResource[] {
  if (!isByTag(answer)) {
    return answer.deployments.map(({ resource_uuid, deployment_uuid, message }) => ({
      resourceUuid: resource_uuid,
      deploymentUuid: deployment_uuid ?? null,
      message: message ?? "",
    }));
  }
  const messages = typeof answer.message === "string" ? [answer.message] : (answer.message ?? []);
  return answer.details.map(({ resource_uuid, deployment_uuid }, index) => ({
    resourceUuid: resource_uuid,
    deploymentUuid: deployment_uuid ?? null,
    message: messages[index] ?? "",
  }));
}

type ByTag = Extract<z.infer<typeof Deployed>, { details: unknown }>;

function isByTag(answer: z.infer<typeof Deployed>): answer is ByTag {
  return Array.isArray(answer["details"]);
}

import { ok, refuse, says, type Answer } from "../answer.ts";
import { applicationOf, type Call, deploymentOf, type Handler, seesSecrets } from "../call.ts";
import { settledStatus } from "../deploy/container.ts";
import { endDeployment } from "../deploy/queue.ts";
import { deploymentAlone, deploymentInList } from "../views/deployment.ts";

/** Those that are queued or run. */
export const listDeployments: Handler = (world, call) =>
  ok([...world.activeDeployments].map((deployment) => deploymentInList(deployment, seesSecrets(call))));

export const getDeployment: Handler = (world, call) =>
  ok(deploymentAlone(world, deploymentOf(world, call), seesSecrets(call)));

/** Newest first. */
export const listApplicationDeployments: Handler = (world, call) => {
  const skip = readNumber(call, "skip", 0, 0);
  const take = readNumber(call, "take", 10, 1);
  const { deployments } = applicationOf(world, call);
  const page = deployments.toReversed().slice(skip, skip + take);
  return ok({
    count: deployments.length,
    deployments: page.map((deployment) => deploymentInList(deployment, seesSecrets(call))),
  });
};

export const cancelDeployment: Handler = (world, call) => {
  const deployment = deploymentOf(world, call);
  if (!world.activeDeployments.has(deployment)) {
    refuse(says(400, `Deployment cannot be cancelled. Current status: ${deployment.status}`));
  }
  const { application, status } = deployment;
  endDeployment(world, deployment, "cancelled-by-user");
  if (status === "in_progress") application.status = settledStatus(application);
  return ok({
    message: "Deployment cancelled successfully.",
    deployment_uuid: deployment.uuid,
    status: "cancelled-by-user",
  });
};

/** A number of the query. This check is the framework's: who does not accept JSON is sent away instead of told. */
function readNumber({ query, headers }: Call, name: string, missing: number, min: number): number {
  const text = query.get(name);
  if (text === null) return missing;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min) return value;
  const message = Number.isInteger(value)
    ? `The ${name} field must be at least ${min}.`
    : `The ${name} field must be an integer.`;
  const json = { message, errors: { [name]: [message] } };
  return refuse(headers.get("accept")?.includes("json") ? { status: 422, json } : sentAway(headers));
}

/** The framework's redirect, which is a page of HTML. */
export function sentAway(headers: Headers): Answer {
  const home = `http://${headers.get("host") ?? "localhost"}`;
  return {
    status: 302,
    text: `<!DOCTYPE html>\n<html><head><meta http-equiv="refresh" content="0;url='${home}'" /></head><body>Redirecting to <a href="${home}">${home}</a>.</body></html>`,
    headers: { location: home },
  };
}

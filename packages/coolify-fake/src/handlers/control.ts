import { type Answer, ok, refuse, says } from "../answer.ts";
import { applicationOf, type Call, type Handler } from "../call.ts";
import { queueStop } from "../deploy/jobs.ts";
import { type Queued, queueDeployment } from "../deploy/queue.ts";
import { looseBody, textOf } from "../rules/body.ts";
import { readFlag } from "../rules/query.ts";
import type { Application } from "../state.ts";

const SKIPPED = "Deployment already queued for this commit.";
const FULL: Answer = {
  ...says(429, "Deployment queue is full. Please wait for existing deployments to complete."),
  headers: { "retry-after": "60" },
};

export const startApplication: Handler = (world, call) => {
  const force = readFlag(call.query.get("force"), false);
  const atOnce = readFlag(call.query.get("instant_deploy"), false);
  const queued = queueDeployment(world, applicationOf(world, call), { force, atOnce, cause: call });
  return triggered(queued, "Deployment request queued.");
};

/** For an image a restart is a whole deployment. */
export const restartApplication: Handler = (world, call) => {
  const queued = queueDeployment(world, applicationOf(world, call), { restartOnly: true, cause: call });
  return triggered(queued, "Restart request queued.");
};

export const stopApplication: Handler = (world, call) => {
  queueStop(world, applicationOf(world, call));
  return says(200, "Application stopping request queued.");
};

/** POST /deploy, by uuids or by tag, from the query or a JSON body. */
export const deploy: Handler = (world, call) => {
  const given = { ...looseBody(call.raw), ...Object.fromEntries(call.query) };
  const { uuid, tag } = given;
  if (uuid && tag) refuse(says(400, "You can only use uuid or tag, not both."));
  if (!uuid && !tag) refuse(says(400, "You must provide uuid or tag."));
  if (given["docker_tag"] && !given["pr"] && !given["pull_request_id"]) {
    refuse(says(400, "docker_tag requires pull_request_id."));
  }
  const force = readFlag(given["force"], false);
  const found = tag
    ? [...world.applications.values()].filter(({ tags }) => tags.some(({ name }) => name === textOf(tag)))
    : textOf(uuid)
        .split(",")
        .map((wanted) => world.applications.get(wanted.trim()))
        .filter((application) => application !== undefined);
  if (found.length === 0) refuse(says(404, tag ? "No resources found with this tag." : "No resources found."));
  const deployments = found.map((application) =>
    deployOne(application, call, (trigger) => queueDeployment(world, application, { force, ...trigger })),
  );
  if (!tag) return ok({ deployments });
  return ok({
    details: deployments.map(({ resource_uuid, deployment_uuid }) => ({ resource_uuid, deployment_uuid })),
    message: deployments.map(({ message }) => message),
  });
};

function deployOne({ uuid, columns }: Application, cause: Call, queue: (trigger: { cause: Call }) => Queued) {
  const queued = queue({ cause });
  if (queued.outcome === "full") refuse(FULL);
  const message = queued.outcome === "queued" ? `Application ${columns.name} deployment queued.` : SKIPPED;
  return { message, resource_uuid: uuid, deployment_uuid: queued.uuid };
}

/** A full queue is not told here: the id is then of a deployment that never was. */
function triggered({ outcome, uuid }: Queued, message: string): Answer {
  return outcome === "already_queued" ? says(200, SKIPPED) : ok({ message, deployment_uuid: uuid });
}

import { ok, says } from "../answer.ts";
import { applicationOf, type Handler, seesSecrets } from "../call.ts";
import { queueDeletion } from "../deploy/jobs.ts";
import { readFlag } from "../rules/query.ts";
import { applicationAlone, applicationInList } from "../views/application.ts";

export const listApplications: Handler = (world, call) => {
  const tag = call.query.get("tag");
  const sensitive = seesSecrets(call);
  return ok(
    [...world.applications.values()]
      .filter((application) => tag === null || application.tags.some(({ name }) => name === tag))
      .toSorted((one, other) => (one.columns.name < other.columns.name ? -1 : 1))
      .map((application) => applicationInList(world, application, sensitive)),
  );
};

export const getApplication: Handler = (world, call) =>
  ok(applicationAlone(world, applicationOf(world, call), seesSecrets(call)));

export const deleteApplication: Handler = (world, call) => {
  const application = applicationOf(world, call, "Application not found");
  queueDeletion(world, application, readFlag(call.query.get("delete_volumes"), true), call);
  return says(200, "Application deletion request queued.");
};

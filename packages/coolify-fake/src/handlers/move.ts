import { ok, refuse, says } from "../answer.ts";
import { applicationOf, type Handler } from "../call.ts";
import { strictBody } from "../rules/body.ts";
import { checkFields, text } from "../rules/fields.ts";

/** POST /applications/{uuid}/move: to another environment, of any project. */
export const moveApplication: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const application = applicationOf(world, call);
  checkFields(body, { environment_uuid: text() }, ["environment_uuid"]);
  const environment = world.environments.get(String(body["environment_uuid"]));
  if (!environment) refuse(says(404, "Environment not found."));
  application.environment = environment;
  return ok({
    message: "Application moved successfully.",
    uuid: application.uuid,
    project_uuid: environment.project.uuid,
    environment_uuid: environment.uuid,
  });
};

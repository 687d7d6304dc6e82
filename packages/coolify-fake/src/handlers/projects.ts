import { created, invalid, ok, refuse, says } from "../answer.ts";
import { type Handler, projectOf, seesSecrets } from "../call.ts";
import { type Body, strictBody } from "../rules/body.ts";
import { fieldErrors, text } from "../rules/fields.ts";
import { environmentAlone } from "../views/environment.ts";
import { environmentInList, projectAlone, projectInList } from "../views/project.ts";
import { addEnvironment, addProject, environmentsOf } from "../world.ts";

const NAME = /^[\p{L}\p{M}\p{N}\s\-_./@&()#,:+]+$/u;

export const listProjects: Handler = (world) => ok([...world.projects.values()].map(projectInList));

export const getProject: Handler = (world, call) => ok(projectAlone(world, projectOf(world, call)));

export const createProject: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  checkName(body, { description: text({ nullable: true, max: 255 }) });
  const description = typeof body["description"] === "string" ? body["description"] : null;
  return created({ uuid: addProject(world, String(body["name"]), description).uuid });
};

export const deleteProject: Handler = (world, call) => {
  const project = projectOf(world, call);
  const used = [...world.applications.values()].some(({ environment }) => environment.project === project);
  if (used) refuse(says(400, "Project has resources, so it cannot be deleted."));
  for (const environment of environmentsOf(world, project)) world.environments.delete(environment.uuid);
  world.projects.delete(project.uuid);
  return says(200, "Project deleted.");
};

export const listEnvironments: Handler = (world, call) =>
  ok(environmentsOf(world, projectOf(world, call)).map(environmentInList));

export const createEnvironment: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const project = projectOf(world, call);
  checkName(body, {});
  const name = String(body["name"]);
  if (environmentsOf(world, project).some((environment) => environment.name === name)) {
    refuse(says(409, "Environment with this name already exists."));
  }
  return created({ uuid: addEnvironment(world, project, name).uuid });
};

/** By its name or its uuid. */
export const getEnvironment: Handler = (world, call) => {
  const wanted = call.params["environment"];
  const found = environmentsOf(world, projectOf(world, call)).find(
    ({ name, uuid }) => name === wanted || uuid === wanted,
  );
  return ok(environmentAlone(world, found ?? refuse(says(404, "Environment not found.")), seesSecrets(call)));
};

/** Names of projects and environments have messages of their own. */
function checkName(body: Body, others: Parameters<typeof fieldErrors>[1]) {
  const errors = fieldErrors(body, { name: text({ max: 255, pattern: NAME }), ...others }, ["name"]);
  if (typeof body["name"] === "string" && body["name"].length < 3 && !errors["name"]) {
    errors["name"] = ["The name must be at least 3 characters."];
  }
  if (Object.keys(errors).length > 0) refuse(invalid(errors));
}

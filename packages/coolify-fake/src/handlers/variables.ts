import { created, ok, refuse, says, SERVER_ERROR } from "../answer.ts";
import { applicationOf, type Call, type Handler, seesSecrets } from "../call.ts";
import { type Body, isObject, looseBody, strictBody } from "../rules/body.ts";
import { checkFields, flag, isTrue, text } from "../rules/fields.ts";
import type { Application, Variable } from "../state.ts";
import { newVariable, variableInList } from "../views/variable.ts";
import { stamps, timestamp, type World } from "../world.ts";

const MISSING_APPLICATION = "Application not found";
const KEY = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const FIELDS = {
  key: text({ pattern: KEY, max: 255 }),
  value: text({ nullable: true }),
  is_preview: flag,
  is_literal: flag,
  is_multiline: flag,
  is_shown_once: flag,
  is_runtime: flag,
  is_buildtime: flag,
  comment: text({ nullable: true, max: 256 }),
};

/** Every key twice: the variable, and its twin for previews. */
export const listVariables: Handler = (world, call) => {
  const { variables } = applicationOf(world, call, MISSING_APPLICATION);
  const ordered = [...variables.filter((one) => !one.is_preview), ...variables.filter((one) => one.is_preview)];
  return ok(ordered.map((variable) => variableInList(variable, seesSecrets(call))));
};

/** This call does not look whether its body is JSON. */
export const createVariable: Handler = (world, call) => {
  const application = applicationOf(world, call, MISSING_APPLICATION);
  const body = looseBody(call.raw);
  checkFields(body, FIELDS, ["key"]);
  if (find(application.variables, body)) {
    refuse(says(409, "Environment variable already exists. Use PATCH request to update it."));
  }
  return created({ uuid: add(world, application, body).uuid });
};

export const patchVariable: Handler = (world, call) => {
  const application = applicationOf(world, call, MISSING_APPLICATION);
  const body = strictBody(call.raw, call.headers);
  checkFields(body, FIELDS, ["key"]);
  const variable = find(application.variables, body) ?? refuse(says(404, "Environment variable not found."));
  change(variable, body);
  return created(variableInList(variable, seesSecrets(call)));
};

/** Item by item: what stands before a bad one is stored. New keys are looked for among what was there before. */
export const patchVariables: Handler = (world, call) => {
  const application = applicationOf(world, call, MISSING_APPLICATION);
  const { data } = looseBody(call.raw);
  if (!Array.isArray(data) || data.length === 0) refuse(says(400, "Bulk data is required."));
  const before = [...application.variables];
  return created(data.map((item: unknown) => storeItem(world, application, before, item, call)));
};

export const deleteVariable: Handler = (world, call) => {
  const application = applicationOf(world, call, MISSING_APPLICATION);
  const at = application.variables.findIndex(({ uuid }) => uuid === call.params["variable"]);
  if (at === -1) refuse(says(404, "Environment variable not found."));
  application.variables.splice(at, 1);
  return says(200, "Environment variable deleted.");
};

function storeItem(world: World, application: Application, before: Variable[], item: unknown, call: Call) {
  const fields = Object.entries(isObject(item) ? item : {}).filter(([field]) => Object.hasOwn(FIELDS, field));
  const body = Object.fromEntries(fields);
  checkFields(body, FIELDS, ["key"]);
  const existing = find(before, body);
  if (!existing) return newVariable(add(world, application, body), seesSecrets(call));
  change(existing, body);
  return variableInList(existing, seesSecrets(call));
}

function find(variables: Variable[], body: Body): Variable | undefined {
  const preview = isTrue(body["is_preview"]);
  return variables.find(({ key, is_preview }) => key === body["key"] && is_preview === preview);
}

function add(world: World, application: Application, body: Body): Variable {
  const variable: Variable = {
    uuid: world.ids.uuid(),
    key: String(body["key"]),
    value: (body["value"] ?? null) as string | null,
    comment: (body["comment"] ?? null) as string | null,
    is_preview: isTrue(body["is_preview"]),
    is_literal: isTrue(body["is_literal"]),
    is_multiline: isTrue(body["is_multiline"]),
    is_shown_once: isTrue(body["is_shown_once"]),
    is_runtime: isTrue(body["is_runtime"] ?? true),
    is_buildtime: isTrue(body["is_buildtime"] ?? true),
    ...stamps(),
  };
  application.variables.push(variable);
  const hasTwin = application.variables.some(({ key, is_preview }) => is_preview && key === variable.key);
  if (!hasTwin)
    application.variables.push({ ...variable, uuid: world.ids.uuid(), is_preview: true, is_shown_once: false });
  return variable;
}

/** What is left out is reset. Two flags cannot be: where one is on, leaving it out is a server error. */
function change(variable: Variable, body: Body) {
  for (const sticky of ["is_multiline", "is_shown_once"] as const) {
    if (variable[sticky] && body[sticky] === undefined) refuse(SERVER_ERROR);
    variable[sticky] = isTrue(body[sticky]);
  }
  variable.value = (body["value"] ?? null) as string | null;
  variable.is_literal = isTrue(body["is_literal"]);
  for (const kept of ["is_runtime", "is_buildtime"] as const) {
    if (body[kept] !== undefined) variable[kept] = isTrue(body[kept]);
  }
  if (body["comment"] !== undefined) variable.comment = body["comment"] as string | null;
  variable.updated_at = timestamp();
}

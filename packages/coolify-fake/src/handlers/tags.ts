import { created, ok } from "../answer.ts";
import { applicationOf, type Handler } from "../call.ts";
import { strictBody } from "../rules/body.ts";
import { checkFields, text } from "../rules/fields.ts";
import type { Application } from "../state.ts";
import { stamps, type World } from "../world.ts";

export const listTags: Handler = (world, call) => ok(applicationOf(world, call).tags);

export const createTag: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const application = applicationOf(world, call);
  checkFields(body, { tag_name: text({ min: 2, max: 255 }) }, ["tag_name"]);
  addTag(world, application, String(body["tag_name"]));
  return created(application.tags);
};

export function addTag(world: World, { tags }: Application, name: string) {
  if (!tags.some((tag) => tag.name === name)) tags.push({ uuid: world.ids.uuid(), name, ...stamps() });
}

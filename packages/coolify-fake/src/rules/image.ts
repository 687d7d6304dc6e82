import { invalid, refuse } from "../answer.ts";

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*";
const NAME = new RegExp(`^(?:[a-z0-9.-]+(?::\\d+)?/)?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HEX = /^[a-f0-9]{64}$/;

export interface ImageColumns {
  docker_registry_image_name: string;
  docker_registry_image_tag: string;
}

/** What a creation stores: the name is taken apart only when no tag was given with it. */
export function createdImage(name: string, tag: string | null): ImageColumns {
  const { path, tag: inName, digest } = split(name);
  if (!NAME.test(path) || (inName !== null && !TAG.test(inName)) || (digest !== null && !HEX.test(digest))) badName();
  if (inName !== null && digest !== null) badName();
  if (digest !== null) return image(`${path}@sha256`, digest);
  if (tag !== null) return HEX.test(tag) && !name.endsWith("@sha256") ? image(`${name}@sha256`, tag) : image(name, tag);
  return image(path, inName ?? "latest");
}

/** The reference that is pulled, or null when the two columns make none (Coolify answers its start with 500). */
export function deployedReference({ docker_registry_image_name: name, docker_registry_image_tag: tag }: ImageColumns) {
  if (name.endsWith("@sha256")) return `${name}:${tag}`;
  if (split(name).tag !== null) return null;
  return tag.startsWith("sha256-") && HEX.test(tag.slice(7)) ? `${name}@sha256:${tag.slice(7)}` : `${name}:${tag}`;
}

function split(name: string): { path: string; tag: string | null; digest: string | null } {
  const bare = name.endsWith("@sha256") ? name.slice(0, -"@sha256".length) : name;
  const at = bare.indexOf("@sha256:");
  const digest = at === -1 ? null : bare.slice(at + "@sha256:".length);
  const rest = at === -1 ? bare : bare.slice(0, at);
  const colon = rest.lastIndexOf(":");
  if (colon === -1 || colon < rest.lastIndexOf("/")) return { path: rest, tag: null, digest };
  return { path: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

const image = (name: string, tag: string): ImageColumns => ({
  docker_registry_image_name: name,
  docker_registry_image_tag: tag,
});

function badName(): never {
  const reason = "The docker registry image name format is invalid. Use image:tag or image@sha256:hash format.";
  refuse(invalid({ docker_registry_image_name: [reason] }));
}

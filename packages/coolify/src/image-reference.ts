import { unsafeValue } from "./errors.ts";

/** An image as Coolify stores it; for a digest the name ends in `@sha256` and the tag is the hexadecimal part. */
export interface ImageFields {
  docker_registry_image_name: string;
  docker_registry_image_tag: string;
}

const HOST = String.raw`[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?`;
const PART = String.raw`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`;
const REFERENCE = new RegExp(
  String.raw`^(?<name>(?:${HOST}\/)?${PART}(?:\/${PART})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@sha256:(?<digest>[0-9a-f]{64}))?$`,
);

/**
 * Splits `name[:tag][@sha256:hex]` into the two fields that mean the same to create and to PATCH. With a digest the
 * tag is left out, since Coolify takes only one of them; without either it is `latest`.
 */
export function imageReference(text: string): ImageFields {
  const { name, tag, digest } = REFERENCE.exec(text)?.groups ?? {};
  if (name === undefined || name.length > 255) {
    throw wrong("must be name[:tag][@sha256:digest], the name in lower case and without a scheme");
  }
  if (digest !== undefined) return { docker_registry_image_name: `${name}@sha256`, docker_registry_image_tag: digest };
  if (tag !== undefined && /^(?:sha256-)?[0-9a-f]{64}$/.test(tag)) {
    throw wrong("must name a digest as @sha256:…; Coolify would take such a tag for one");
  }
  return { docker_registry_image_name: name, docker_registry_image_tag: tag ?? "latest" };
}

/** The reference that Coolify's two fields stand for: `name:tag` or `name@sha256:hex`. */
export function imageText({ docker_registry_image_name: name, docker_registry_image_tag: tag }: ImageFields): string {
  return name.endsWith("@sha256") ? `${name}:${tag}` : `${name}:${tag === "" ? "latest" : tag}`;
}

function wrong(message: string) {
  return unsafeValue([{ path: "image", message }]);
}

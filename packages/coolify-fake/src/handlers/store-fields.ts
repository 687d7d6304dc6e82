import { invalid, refuse } from "../answer.ts";
import { SETTING_NAMES } from "../rules/application-fields.ts";
import { type Body, textOf } from "../rules/body.ts";
import { isTrue } from "../rules/fields.ts";
import type { Application } from "../state.ts";

/** Not columns of their own, or stored by rules of their own. */
const ELSEWHERE = new Set(["domains", "custom_labels", "docker_registry_image_name", "docker_registry_image_tag"]);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Stores the fields of a checked body in the columns and settings they belong to. */
export function storeFields({ columns, settings }: Application, body: Body) {
  for (const [field, value] of Object.entries(body)) {
    if (ELSEWHERE.has(field)) continue;
    const setting = SETTING_NAMES[field] ?? field;
    if (Object.hasOwn(settings, setting)) {
      const before = settings[setting as keyof typeof settings];
      Object.assign(settings, { [setting]: typeof before === "boolean" ? isTrue(value) : value });
    } else if (Object.hasOwn(columns, field)) {
      Object.assign(columns, { [field]: stored(field, value, columns[field as keyof typeof columns]) });
    }
  }
}

/** Own labels have to come in base64. */
export function refusePlainLabels(body: Body) {
  const labels = body["custom_labels"];
  if (typeof labels === "string" && !BASE64.test(labels)) {
    refuse(invalid({ custom_labels: "The custom_labels should be base64 encoded." }));
  }
}

function stored(field: string, value: unknown, before: unknown): unknown {
  if (field === "health_check_port") return value === null ? null : textOf(value);
  if (field === "name" || field === "description") return withoutTags(value);
  if (typeof before === "boolean") return isTrue(value);
  if (typeof before === "number") return Number(value);
  return value;
}

const withoutTags = (value: unknown) => (typeof value === "string" ? value.replaceAll(/<[^<>]*>/g, "") : "");

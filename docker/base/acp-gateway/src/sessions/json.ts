import type { JsonObject, JsonValue } from "../wire/index.ts";

/** The value as an object; anything else is an empty one. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** The value as a text; anything else is an empty one. */
export const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

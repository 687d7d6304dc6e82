import type { JsonObject } from "../wire/index.ts";

/** For values that came out of JSON.parse. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { textOf } from "./body.ts";

const YES = new Set(["1", "true", "on", "yes"]);

/** A flag of the query or a body as Coolify reads it: 1, true, on, yes in any case; anything else is no. */
export function readFlag(value: unknown, missing: boolean): boolean {
  if (value === undefined || value === null) return missing;
  return value === true || YES.has(textOf(value).toLowerCase());
}

import { badBody, refuse } from "../answer.ts";

export type Body = Record<string, unknown>;

/** The JSON object of a request, or the 400 that says what is wrong with it. */
export function strictBody(raw: string, headers: Headers): Body {
  if (!headers.get("content-type")?.toLowerCase().includes("application/json")) {
    refuse(badBody("Content-Type must be application/json."));
  }
  const value = parse(raw);
  if (!isObject(value)) refuse(badBody("Invalid JSON."));
  if (Object.keys(value).length === 0) refuse(badBody("Empty JSON."));
  return normalized(value);
}

/** Some endpoints take whatever arrives: what is no JSON object counts as no fields at all. */
export function looseBody(raw: string): Body {
  const value = parse(raw);
  return isObject(value) ? normalized(value) : {};
}

/** A field as text; numbers as they are written, anything that is no text or number as none. */
export const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

function normalized(body: Body): Body {
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, trimmed(value)]));
}

/** Coolify trims every text of a request, and an empty one is null. */
function trimmed(value: unknown): unknown {
  if (typeof value === "string") return value.trim() || null;
  if (Array.isArray(value)) return value.map(trimmed);
  return isObject(value) ? normalized(value) : value;
}

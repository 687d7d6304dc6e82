/**
 * The same description with schemas that validators read as they are meant. The generator leaves a
 * regular expression's flags in its pattern, and gives what may be null and has a name of its own a
 * schema that null does not fit.
 */
export function standardSchemas<Part>(part: Part): Part {
  return standard(part) as Part;
}

function standard(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(standard);
  if (typeof part !== "object" || part === null) return part;
  const { allOf, ...rest } = part as { allOf?: unknown };
  const entries = Object.entries(isOrNull(allOf) ? { ...rest, anyOf: [allOf[0], { type: "null" }] } : part);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, isPattern(key, value) ? bare(value) : standard(value)]),
  );
}

const isPattern = (key: string, value: unknown): value is string => key === "pattern" && typeof value === "string";

/** JSON Schema's expressions are unicode-aware without saying so. */
const bare = (pattern: string): string => pattern.replace(/\/u$/, "");

/** Whether it says: what this names, or null. */
function isOrNull(allOf: unknown): allOf is [unknown, unknown] {
  if (!Array.isArray(allOf) || allOf.length !== 2) return false;
  const last = allOf[1] as { type?: unknown };
  return Object.keys(last).length === 1 && Array.isArray(last.type) && last.type.includes("null");
}

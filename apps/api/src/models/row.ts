/** A column's time, `2026-01-01 00:00:00` or ISO 8601, as ISO 8601 UTC with milliseconds. */
export function isoTime(text: string): string {
  if (text.length === 24 && text.endsWith("Z")) return text;
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text);
  const time = new Date(hasZone ? text : `${text.replace(" ", "T")}${text.includes(":") ? "Z" : ""}`);
  return Number.isNaN(time.getTime()) ? "1970-01-01T00:00:00.000Z" : time.toISOString();
}

export const isoTimeOrNull = (text: string | null): string | null => (text === null ? null : isoTime(text));

/** A JSON column's list of strings; whatever else stands there is left out. */
export function stringList(text: string | null): string[] {
  const value = parsed(text);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A JSON column's object; empty when something else stands there. */
export function jsonObject(text: string | null): Record<string, unknown> {
  const value = parsed(text);
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type ColumnValue = string | number | null;

/** The fields of `patch` that have a column and a value, as a SET list; empty when there is none. */
export function assignments(columns: Readonly<Record<string, string>>, patch: object) {
  const { fields, values } = bindings(columns, patch);
  return { set: fields.map((field) => `${columns[field]} = $${field}`).join(", "), values };
}

/** The fields of `entry` that have a column and a value, as an INSERT's names and values. */
export function insertion(columns: Readonly<Record<string, string>>, entry: object) {
  const { fields, values } = bindings(columns, entry);
  return {
    names: fields.map((field) => columns[field]).join(", "),
    marks: fields.map((field) => `$${field}`).join(", "),
    values,
  };
}

/** In the columns' order, so that the same fields always make the same statement. */
function bindings(columns: Readonly<Record<string, string>>, entry: object) {
  const values: Record<string, ColumnValue> = {};
  for (const field of Object.keys(columns)) {
    const value: unknown = Reflect.get(entry, field);
    if (value !== undefined) values[field] = toColumn(value);
  }
  return { fields: Object.keys(values), values };
}

function toColumn(value: unknown): ColumnValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  return typeof value === "boolean" ? Number(value) : JSON.stringify(value);
}

/** The current time in the form that sorts: ISO 8601, UTC, milliseconds. */
export const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

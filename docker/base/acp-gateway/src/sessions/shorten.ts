import { cutText } from "../cut-text.ts";
import type { JsonValue } from "../wire/index.ts";

const TEXT_MAX = 16 * 1024;
const ITEMS_MAX = 200;
const DEPTH_MAX = 12;

/** The value with its long texts and lists cut; what is missing is said where it is missing. */
export function shorten(value: JsonValue, depth = 0): JsonValue {
  if (typeof value === "string") {
    if (value.length <= TEXT_MAX) return value;
    const cut = cutText(value, TEXT_MAX);
    return `${cut}… [${value.length - cut.length} more characters]`;
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return "[left out: nested too deep]";
  if (Array.isArray(value)) {
    const kept = value.slice(0, ITEMS_MAX).map((item) => shorten(item, depth + 1));
    return value.length > ITEMS_MAX ? [...kept, `[${value.length - ITEMS_MAX} more items]`] : kept;
  }
  const entries = Object.entries(value);
  const kept = entries.slice(0, ITEMS_MAX).map(([name, member]) => [name, shorten(member, depth + 1)] as const);
  return Object.fromEntries(
    entries.length > ITEMS_MAX ? [...kept, ["…", `${entries.length - ITEMS_MAX} more members`] as const] : kept,
  );
}

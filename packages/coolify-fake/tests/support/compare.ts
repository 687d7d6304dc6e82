import { isRecord } from "./record.ts";

const ID = /^[a-z0-9]{24}$/;
const HASH = /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+Z)?$/;

/** Recorded ids and what they are in the fake; learnt from answers, used for what is sent later. */
export type Ids = Map<string, string>;

export function translate(text: string, ids: Ids): string {
  return text.replaceAll(/[a-z0-9]{24}/g, (id) => ids.get(id) ?? id);
}

/**
 * How the fake's body differs in form from the recorded one: keys and types all the way down; ids and times by their
 * form. With `exact`, other values count as well. Learns ids on the way.
 */
export function differences(recorded: unknown, actual: unknown, ids: Ids, exact: boolean, at = "body"): string[] {
  if (isRecord(recorded)) return objectDifferences(recorded, actual, ids, exact, at);
  if (Array.isArray(recorded)) {
    if (!Array.isArray(actual)) return [`${at}: ${kindOf(actual)} instead of a list`];
    if (recorded.length !== actual.length) return [`${at}: ${actual.length} elements instead of ${recorded.length}`];
    return recorded.flatMap((item, index) => differences(item, actual[index], ids, exact, `${at}[${index}]`));
  }
  if (kindOf(recorded) !== kindOf(actual)) return [`${at}: ${kindOf(actual)} instead of ${kindOf(recorded)}`];
  if (typeof recorded === "string" && typeof actual === "string")
    return textDifferences(recorded, actual, ids, exact, at);
  const counted = /(?:^|[._])id$/.test(at);
  return exact && !counted && recorded !== actual ? [`${at}: ${String(actual)} instead of ${String(recorded)}`] : [];
}

function objectDifferences(recorded: Record<string, unknown>, actual: unknown, ids: Ids, exact: boolean, at: string) {
  if ("_note" in recorded) return logDifferences(recorded, actual, at);
  if (!isRecord(actual)) return [`${at}: ${kindOf(actual)} instead of an object`];
  if (Array.isArray(recorded["keys"]) && recorded["_trimmed"]) {
    return differences(recorded["keys"], Object.keys(actual).toSorted(), ids, true, `${at} keys`);
  }
  const found: string[] = [];
  const isExtract = recorded["_trimmed"] !== undefined;
  for (const [key, value] of Object.entries(recorded)) {
    if (key === "_trimmed") continue;
    if (!(key in actual)) found.push(`${at}.${key} is missing`);
    else found.push(...differences(value, actual[key], ids, exact, `${at}.${key}`));
  }
  if (!isExtract) {
    for (const key of Object.keys(actual)) if (!(key in recorded)) found.push(`${at}.${key} is too much`);
  }
  return found;
}

function textDifferences(recorded: string, actual: string, ids: Ids, exact: boolean, at: string): string[] {
  if (ID.test(recorded)) {
    if (!ID.test(actual)) return [`${at}: ${actual} is no id`];
    const known = ids.get(recorded);
    if (known !== undefined && known !== actual) return [`${at}: ${actual} instead of ${known}`];
    ids.set(recorded, actual);
    return [];
  }
  if (HASH.test(recorded)) return HASH.test(actual) ? [] : [`${at}: ${actual} is no hash`];
  if (TIME.test(recorded)) return TIME.test(actual) ? [] : [`${at}: ${actual} is no time`];
  if (/^docker-image-[a-z0-9]{24}$/.test(recorded)) return learnName(recorded, actual, ids, at);
  const expected = translate(recorded, ids);
  return exact && expected !== actual
    ? [`${at}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`]
    : [];
}

/** Names that Coolify made up hold an id of their own. */
function learnName(recorded: string, actual: string, ids: Ids, at: string): string[] {
  const [prefix, id] = [actual.slice(0, -24), actual.slice(-24)];
  return prefix === "docker-image-" ? differences(recorded.slice(-24), id, ids, true, at) : [`${at}: ${actual}`];
}

/** The recording holds a deployment's log decoded and shortened. */
function logDifferences(recorded: Record<string, unknown>, actual: unknown, at: string): string[] {
  if (typeof actual !== "string") return [`${at}: ${kindOf(actual)} instead of a text`];
  const lines: unknown = JSON.parse(actual);
  if (!Array.isArray(lines) || lines.length === 0) return [`${at}: no lines`];
  const keys = (line: unknown) =>
    Object.keys(isRecord(line) ? line : {})
      .toSorted()
      .join();
  const known = [recorded["first"], recorded["last"]].flat().map(keys);
  return lines.filter((line) => !known.includes(keys(line))).map((line) => `${at}: a line with ${keys(line)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

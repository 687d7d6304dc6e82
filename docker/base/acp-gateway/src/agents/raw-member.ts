import { stringEnd } from "./json-depth.ts";

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;

/**
 * The text of one member of an object, as it stands in `json`. Of members with the same name the last
 * counts, as for JSON.parse. Null when there is none, or when `json` is no object.
 * `json` must be valid JSON: the caller has parsed it.
 */
export function rawMember(json: string, name: string): string | null {
  let at = skipSpace(json, 0);
  if (json.charCodeAt(at) !== OPEN) return null;
  let found: string | null = null;
  at = skipSpace(json, at + 1);
  while (json.charCodeAt(at) === QUOTE) {
    const keyEnd = afterString(json, at);
    const isIt = keyIs(json.slice(at, keyEnd), name);
    at = skipSpace(json, keyEnd);
    if (json.charCodeAt(at) !== COLON) return null;
    const start = skipSpace(json, at + 1);
    const end = valueEnd(json, start);
    if (isIt) found = json.slice(start, end);
    at = skipSpace(json, end);
    if (json.charCodeAt(at) !== COMMA) break;
    at = skipSpace(json, at + 1);
  }
  return found;
}

function keyIs(quoted: string, name: string): boolean {
  return quoted.includes("\\") ? JSON.parse(quoted) === name : quoted === `"${name}"`;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (json.charCodeAt(at) <= 32) at++;
  return at;
}

/** The place behind the string that opens at `from`. */
const afterString = (json: string, from: number): number => Math.min(json.length, stringEnd(json, from) + 1);

function valueEnd(json: string, start: number): number {
  const first = json.charCodeAt(start);
  if (first === QUOTE) return afterString(json, start);
  if (first !== OPEN && first !== OPEN_LIST) return scalarEnd(json, start);
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = afterString(json, at);
      continue;
    }
    if (code === OPEN || code === OPEN_LIST) depth++;
    if (code === CLOSE || code === CLOSE_LIST) depth--;
    at++;
    if (depth === 0) return at;
  }
  return at;
}

function scalarEnd(json: string, start: number): number {
  let at = start;
  for (let code = json.charCodeAt(at); at < json.length; code = json.charCodeAt(++at)) {
    if (code === COMMA || code === CLOSE || code === CLOSE_LIST || code <= 32) break;
  }
  return at;
}

const QUOTE = 34;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;

/** JSON.parse takes any depth; what walks its result, JSON.stringify among it, runs out of stack at some ten thousand. */
const DEPTH_MAX = 1000;

/** Whether `json`, which is valid, is nested deeper than anything can be meant. */
export function isTooDeep(json: string): boolean {
  // Each level has a bracket at both ends.
  if (json.length <= 2 * DEPTH_MAX) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(json, at);
    else if (code === OPEN || code === OPEN_LIST) {
      depth++;
      if (depth > DEPTH_MAX) return true;
    } else if (code === CLOSE || code === CLOSE_LIST) depth--;
  }
  return false;
}

/** The quote that ends the string which opens at `from`. */
export function stringEnd(json: string, from: number): number {
  let at = json.indexOf('"', from + 1);
  while (at >= 0 && isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at < 0 ? json.length : at;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

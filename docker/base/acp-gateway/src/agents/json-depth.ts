const QUOTE = 34;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;

/** JSON.parse takes any depth; what walks its result, JSON.stringify among it, runs out of stack at some ten thousand. */
const DEPTH_MAX = 1000;

/** Whether `json` is nested deeper than anything can be meant. Of what is no JSON it says nothing that counts. */
export function isTooDeep(json: string, depthMax = DEPTH_MAX): boolean {
  // Each level of what is valid has a bracket at both ends.
  if (json.length <= 2 * depthMax) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(json, at);
    else if (code === OPEN || code === OPEN_LIST) {
      depth++;
      if (depth > depthMax) return true;
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

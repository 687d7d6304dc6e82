import { isTooDeep } from "../agents/json-depth.ts";
import { GatewayError } from "../gateway-error.ts";

const DEPTH_MAX = 128;

/**
 * Reads a body as JSON. Deep nesting is refused before anything walks it recursively.
 * @throws GatewayError invalid_json
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (isTooDeep(text, DEPTH_MAX)) throw new GatewayError("invalid_json", `the JSON is nested deeper than ${DEPTH_MAX}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GatewayError("invalid_json", `the body is not JSON: ${reason.slice(0, 200)}`);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new GatewayError("invalid_json", "the body is not JSON: it is not UTF-8");
  }
}

import type { Violation } from "@agentpod/types";
import { ApiError } from "./problem.ts";

/** Longest body the API reads, in bytes. */
const BODY_BYTES_MAX = 256 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true });
const surrogateEscape = /\\u[dD][89a-fA-F]/;

/**
 * The body as the JSON object it must be; anything else fails with the code that says why.
 * `body` is what was read of the request already.
 */
export async function readJsonObject(request: Request, body?: Buffer): Promise<Record<string, unknown>> {
  const value = parse(body === undefined ? await readBody(request) : nonEmpty(body));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidBody({
    path: "",
    code: "invalid_type",
    message: "The body must be a JSON object",
    fix: "Send an object such as {}",
  });
}

/** Refuses a body that says it is too long, before anything is read or done. */
export function checkLength(request: Request): void {
  if (Number(request.headers.get("content-length")) > BODY_BYTES_MAX) throw tooLarge();
}

/** The body's bytes, not empty and within the limit, of a request that says it sends JSON. */
async function readBody(request: Request): Promise<Buffer> {
  const type = request.headers.get("content-type");
  if (type !== "application/json" && (type === null || !isJson(type))) throw wrongMediaType(request, type);
  return nonEmpty(await readBytes(request));
}

function nonEmpty(bytes: Buffer): Buffer {
  if (bytes.byteLength === 0) throw missing();
  return bytes;
}

function parse(bytes: Buffer): unknown {
  let value: unknown;
  let text: string;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    // A parser's message may quote the body, and with it a secret.
    const why = cause instanceof SyntaxError ? "The body is not JSON" : "The body is not JSON in UTF-8";
    throw invalidBody({ path: "", code: "malformed_json", message: why, fix: "Send one JSON object in UTF-8" }, cause);
  }
  if (surrogateEscape.test(text) && hasLoneSurrogate(value)) {
    throw invalidBody({
      path: "",
      code: "malformed_json",
      message: "The body has half of a surrogate pair, which is no text",
      fix: "Send both halves of the \\u pair, or the character itself",
    });
  }
  return value;
}

/** Without recursion, as a body may be nested deeply. */
function hasLoneSurrogate(root: unknown): boolean {
  const rest = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === "string" && !value.isWellFormed()) return true;
    if (typeof value !== "object" || value === null) continue;
    for (const [key, child] of Object.entries(value)) rest.push(key, child);
  }
  return false;
}

/** `application/json`, or another type in JSON's syntax; its only charset is UTF-8. */
function isJson(type: string): boolean {
  const [essence = "", ...parameters] = type.toLowerCase().split(";");
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(essence.trim())) return false;
  return parameters.every((parameter) => {
    const [name, value] = parameter.split("=");
    return name?.trim() !== "charset" || /^"?utf-?8"?$/.test(value?.trim() ?? "");
  });
}

async function readBytes(request: Request): Promise<Buffer> {
  checkLength(request);
  try {
    const hasLength = request.headers.has("content-length");
    const bytes = hasLength ? Buffer.from(await request.arrayBuffer()) : await readBounded(request);
    if (bytes.byteLength > BODY_BYTES_MAX) throw tooLarge();
    return bytes;
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError("invalid_request", "The body did not arrive whole", { cause });
  }
}

/** A chunked body says its length only by ending, so it is cut off at the limit. */
async function readBounded(request: Request): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function wrongMediaType(request: Request, type: string | null): ApiError {
  const isEmpty = request.body === null || request.headers.get("content-length") === "0";
  if (type === null && isEmpty) return missing();
  const sent = type === null ? "no Content-Type" : "another Content-Type";
  return new ApiError("unsupported_media_type", `The body came with ${sent}; send Content-Type: application/json`, {
    headers: { accept: "application/json" },
  });
}

function missing(): ApiError {
  return invalidBody({ path: "", code: "required", message: "A body is required", fix: "Send a JSON object" });
}

function tooLarge(): ApiError {
  const detail = `The body is over ${BODY_BYTES_MAX} bytes`;
  return new ApiError("body_too_large", detail, { headers: { connection: "close" } });
}

function invalidBody(violation: Violation, cause?: unknown): ApiError {
  return new ApiError("invalid_request", violation.message, { errors: [violation], cause });
}

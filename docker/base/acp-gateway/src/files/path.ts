import { posix } from "node:path";
import { GatewayError } from "../gateway-error.ts";
import { shown } from "./failure.ts";

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4000;
const SEGMENTS_MAX = 256;

/** A path inside a folder, as its names. */
export type Segments = readonly string[];

/**
 * Reads the rest of a URL's path, percent-decoding each name once. A slash at the end is allowed.
 * @throws GatewayError invalid_request, path_not_allowed
 */
export function segmentsOfUrl(rest: string): Segments {
  const names = rest.split("/");
  if (names.at(-1) === "") names.pop();
  return checked(names.map(decodeOnce));
}

/**
 * Reads a relative path that is decoded already.
 * @throws GatewayError invalid_request, path_not_allowed
 */
export function segmentsOf(path: string): Segments {
  const names = path.split("/");
  if (names.at(-1) === "") names.pop();
  return checked(names);
}

/**
 * The part of an absolute path below `folder`; undefined when it does not lie there. `.` and `..`
 * are taken off as text, so what remains is checked like any other path.
 * @throws GatewayError invalid_request
 */
export function segmentsBelow(folder: string, path: string): Segments | undefined {
  const plain = posix.resolve(folder, path);
  if (plain === folder) return [];
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  return plain.startsWith(prefix) ? checked(plain.slice(prefix.length).split("/")) : undefined;
}

function decodeOnce(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new GatewayError("invalid_request", `${shown(name)}: the path must be UTF-8, percent-encoded`);
  }
}

function checked(names: Segments): Segments {
  if (names.length > SEGMENTS_MAX) {
    throw new GatewayError("invalid_request", `the path has ${names.length} parts; use at most ${SEGMENTS_MAX}`);
  }
  let bytes = 0;
  for (const name of names) {
    checkName(name);
    bytes += Buffer.byteLength(name) + 1;
  }
  if (bytes > PATH_BYTES_MAX) {
    throw new GatewayError("invalid_request", `the path has ${bytes} bytes; use at most ${PATH_BYTES_MAX}`);
  }
  return names;
}

function checkName(name: string): void {
  if (name === "" || name === "." || name === "..") {
    throw new GatewayError("path_not_allowed", `the path holds an empty name, "." or ".."; give plain names`);
  }
  if (!isUsableName(name)) {
    throw new GatewayError("invalid_request", `${shown(name)}: a name cannot hold slashes or control characters`);
  }
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw new GatewayError("invalid_request", `${shown(name)}: a name can have ${NAME_BYTES_MAX} bytes at most`);
  }
}

/** Whether a name can be asked for. Lone surrogates would become another name on their way to the disk. */
export function isUsableName(name: string): boolean {
  return !/[/\p{Cc}]/u.test(name) && name.isWellFormed();
}

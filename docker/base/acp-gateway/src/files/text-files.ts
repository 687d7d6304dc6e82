import { GatewayError } from "../gateway-error.ts";
import { UNCONDITIONAL } from "./conditions.ts";
import type { Confinement } from "./confinement.ts";
import { shown, telling } from "./failure.ts";
import { readAt } from "./file-io.ts";
import type { Libc } from "./libc.ts";
import { openFile } from "./open-file.ts";
import { type Segments, segmentsBelow } from "./path.ts";
import { replaceFile } from "./replace-file.ts";
import { writablePlace } from "./writable-place.ts";

type TextFileDeps = { confinement: Confinement; libc: Libc | null; bytesMax: number };

/** The folders a path may lie in; a relative one lies in the first. */
type Folders = string | readonly string[];

/** Reads and writes whole text files for agents, which name them by absolute paths. */
export function createTextFiles({ confinement, libc, bytesMax }: TextFileDeps) {
  return {
    /**
     * The text of a file, or `limit` lines of it from `line` (1 is the first) on, with their line ends.
     * @throws GatewayError path_not_allowed, file_not_found, file_conflict, special_file, body_too_large, invalid_request
     */
    readTextFile: (folders: Folders, path: string, { line, limit }: { line?: number; limit?: number } = {}) =>
      telling(path, async () => {
        const { base, names } = locate(folders, path);
        const file = openFile(confinement, base, names);
        if (file === "folder") throw new GatewayError("file_conflict", `${shown(path)}: it is a folder`);
        try {
          const size = Number(file.look().size);
          if (size > bytesMax) {
            throw new GatewayError(
              "body_too_large",
              `${shown(path)} has ${size} bytes; ${bytesMax} can be read as text`,
            );
          }
          return linesOf(decode(await readAt(file.fd, 0, size), path), line, limit);
        } finally {
          file.close();
        }
      }),

    /**
     * Puts a text in place of a file in one step; makes the file and its folders when they are missing.
     * A link inside is written through.
     * @throws GatewayError path_not_allowed, file_conflict, special_file, body_too_large, no_space, file_not_permitted
     */
    writeTextFile: (folders: Folders, path: string, text: string) =>
      telling(path, async () => {
        const { base, names } = locate(folders, path);
        confinement.makeFolders(base, names.slice(0, -1));
        using place = writablePlace(confinement, base, names);
        const content = [new TextEncoder().encode(text)];
        const written = await replaceFile(place, content, { maxBytes: bytesMax, conditions: UNCONDITIONAL, libc });
        written.done();
      }),
  };
}

function locate(folders: Folders, path: string): { base: string; names: Segments } {
  const list = typeof folders === "string" ? [folders] : folders;
  for (const base of list) {
    const names = path.startsWith("/") || base === list[0] ? segmentsBelow(base, path) : undefined;
    if (names) return { base, names };
  }
  throw new GatewayError("path_not_allowed", `${shown(path)} lies in none of the session's folders`);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new GatewayError("invalid_request", `${shown(path)} is not UTF-8 text`);
  }
}

function linesOf(text: string, line = 1, limit = Number.POSITIVE_INFINITY): string {
  if (line <= 1 && limit === Number.POSITIVE_INFINITY) return text;
  const start = afterLines(text, 0, line - 1);
  return text.slice(start, afterLines(text, start, limit));
}

/** The position behind so many line ends from `from` on. */
function afterLines(text: string, from: number, count: number): number {
  let position = from;
  for (let passed = 0; passed < count; passed += 1) {
    const end = text.indexOf("\n", position);
    if (end < 0) return text.length;
    position = end + 1;
  }
  return position;
}

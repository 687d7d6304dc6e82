import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { anchorOf, FIND_FOLDER } from "./anchor.ts";
import { codeOf, fileError } from "./failure.ts";
import type { Libc } from "./libc.ts";
import type { Segments } from "./path.ts";

const ATTEMPTS = 32;
const CLOSE_ON_EXEC = 0o2000000;

/** Opens what has this path below an open folder; without `libc`, only where no part of it is a link. */
export function openBelow(libc: Libc | null, start: number, names: Segments, flags: number): number {
  if (libc === null || names.length === 0) return openByNames(start, names, flags);
  const path = names.join("/");
  let opened: number | string = "EAGAIN";
  // Links with ".." in them cannot be followed while anything is renamed; the kernel asks us to try again.
  for (let attempt = 0; opened === "EAGAIN" && attempt < ATTEMPTS; attempt += 1) {
    opened = libc.openBeneath(start, path, flags | CLOSE_ON_EXEC);
  }
  if (typeof opened === "number") return opened;
  throw fileError(opened, path) ?? new Error(`openat2: ${opened}`);
}

function openByNames(start: number, names: Segments, flags: number): number {
  let fd = openSync(`${anchorOf(start)}/.`, FIND_FOLDER);
  for (const [index, name] of names.entries()) {
    const path = `${anchorOf(fd)}/${name}`;
    const wanted = index === names.length - 1 ? flags : FIND_FOLDER;
    try {
      // A trailing name of the anchor is not followed, and O_PATH then opens a link itself.
      const next = openSync(path, wanted | constants.O_NOFOLLOW);
      if (fstatSync(next).isSymbolicLink()) {
        closeSync(next);
        throw fileError("ELOOP", names.join("/")) ?? new Error("ELOOP");
      }
      closeSync(fd);
      fd = next;
    } catch (error) {
      const isLink = codeOf(error) === "ENOTDIR" && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
      closeSync(fd);
      throw isLink ? (fileError("ELOOP", names.join("/")) ?? error) : error;
    }
  }
  return fd;
}

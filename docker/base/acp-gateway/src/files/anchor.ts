import { closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";

const isLinux = process.platform === "linux";

/** Opens the inode alone: a FIFO wakes nobody and a device does nothing. Other systems have no such flag. */
const ONLY_THE_INODE = isLinux ? 0o10000000 : constants.O_NONBLOCK;

/** Finds what is there without reading it. */
export const FIND = constants.O_RDONLY | ONLY_THE_INODE;
export const FIND_FOLDER = FIND | constants.O_DIRECTORY;

/**
 * A path that means the open file or folder itself, wherever its names lead by now. Behind a folder's,
 * one more name means what the system's *at calls would: nothing on the way can be swapped.
 */
export function anchorOf(fd: number): string {
  if (isLinux) return `/proc/self/fd/${fd}`;
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `/.vol/${dev}/${ino}`;
}

/** Whether paths by `anchorOf` work here; without /proc they do not. */
export function anchorsWork(fd: number): boolean {
  try {
    const probe = openSync(`${anchorOf(fd)}/.`, FIND_FOLDER);
    try {
      return fstatSync(probe, { bigint: true }).ino === fstatSync(fd, { bigint: true }).ino;
    } finally {
      closeSync(probe);
    }
  } catch {
    return false;
  }
}

/** Where the file is now; undefined where the system does not tell. */
export function placeOf(fd: number): string | undefined {
  return isLinux ? readlinkSync(anchorOf(fd)) : undefined;
}

import { closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/** Returns when what was written to `path`, a file or folder, is on the disk. */
export function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a file's new name, or its disappearance, outlive a power cut. */
export function syncFolderOf(path: string): void {
  sync(dirname(path));
}

/** Gives the file `from` the further name `to` in one step; fails with EEXIST when that is taken. */
export function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && unlinkable.has(error.code))) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    sync(to);
  }
}

/** What file systems without hard links answer. */
const unlinkable = new Set<unknown>(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Removes a file of ours that is only in the way; what went wrong before it matters more. */
export function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Then it stays.
  }
}

/** `20260131T235959123Z`: sorts by time and is fit for file names. */
export const fileStamp = (now: Date): string => now.toISOString().replace(/[-:.]/g, "");

import { closeSync, constants, fsync, openSync, read, write } from "node:fs";
import { promisify } from "node:util";
import type { Folder } from "./confinement.ts";
import { codeOf } from "./failure.ts";

const writeSome = promisify(write);
const readSome = promisify(read);

/** Resolves when what was written is on disk. */
export const syncFile = promisify(fsync);

/** Makes new and removed names last. */
export async function syncFolder(folder: Folder): Promise<void> {
  let fd: number;
  try {
    fd = openSync(folder.at("."), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // A folder that may be changed but not read cannot be synced.
    if (codeOf(error) === "EACCES") return;
    throw error;
  }
  try {
    await syncFile(fd);
  } catch (error) {
    // Some file systems have nothing to sync of a folder.
    if (codeOf(error) !== "EINVAL") throw error;
  } finally {
    closeSync(fd);
  }
}

export async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.byteLength) {
    const { bytesWritten } = await writeSome(fd, bytes, offset, bytes.byteLength - offset, null);
    offset += bytesWritten;
  }
}

/** Up to `length` bytes from `position` on; fewer only where the file ends. */
export async function readAt(fd: number, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await readSome(fd, buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? buffer : buffer.subarray(0, filled);
}

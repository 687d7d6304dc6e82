import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

/** Takes over the log of an earlier release, which lay in `folder` itself. `file` is where it lies now. */
export function moveFromOldPlace(folder: string, file: string): void {
  if (existsSync(file)) return;
  const old = join(folder, basename(file));
  // The newest commits are in the write-ahead log: it is there before the database, which ends this.
  for (const part of ["-wal", ""]) {
    if (existsSync(old + part)) renameSync(old + part, file + part);
  }
  rmSync(`${old}-shm`, { force: true });
}

import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The database, and what SQLite keeps beside it: without these the newest commits are missing. */
const PARTS = ["", "-wal", "-shm"];
const KEPT = 2;
const NAME = /\.damaged-\d{8}T\d{9}Z$/;

/** Puts a database and its companions, as one set, into the folder above, which others can write to. Gives the name. */
export function setAside(file: string, now: Date): string {
  const aside = `${asideOf(file)}.damaged-${now.toISOString().replaceAll(/[-:.]/g, "")}`;
  moveParts(file, aside);
  return aside;
}

/** Whether there are such sets. Completes one that a crash has broken off: SQLite would remove what was left. */
export function wasSetAside(file: string): boolean {
  const newest = setsOf(file)[0];
  if (newest === undefined) return false;
  if (!existsSync(file)) moveParts(file, newest);
  return true;
}

/** Removes all but the newest sets. Gives the names of those that went. */
export function removeOldSets(file: string): string[] {
  const old = setsOf(file).slice(KEPT);
  for (const aside of old) {
    // The database last: without it nobody would know of the rest.
    for (const part of PARTS.toReversed()) rmSync(aside + part, { force: true });
  }
  return old;
}

function moveParts(from: string, to: string): void {
  for (const part of PARTS) {
    if (existsSync(from + part)) renameSync(from + part, to + part);
  }
}

const asideOf = (file: string): string => join(dirname(file), "..", basename(file));

/** The newest first. */
function setsOf(file: string): string[] {
  const folder = dirname(asideOf(file));
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.`) && NAME.test(name))
    .toSorted()
    .toReversed()
    .map((name) => join(folder, name));
}

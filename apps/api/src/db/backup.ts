import { closeSync, existsSync, openSync } from "node:fs";
import { resolve } from "node:path";
import type { Database } from "bun:sqlite";
import { DatabaseError, messageOf } from "./error.ts";
import { discard, linkFile, sync, syncFolderOf } from "./files.ts";

/**
 * Writes all of `db`, other processes' work included, to the new file `path` (0600) and returns
 * its absolute name. The name appears only when the copy is whole and on the disk; an existing
 * file is never overwritten. Not inside a transaction.
 */
export function backup(db: Database, path: string): string {
  const file = resolve(path);
  if (existsSync(file)) throw new DatabaseError("exists", `${file} exists already. Name another file for the backup.`);
  const part = `${file}.part-${crypto.randomUUID()}`;
  try {
    writeCopy(db, part);
    linkFile(part, file);
    syncFolderOf(file);
    return file;
  } catch (error) {
    throw new DatabaseError("backup_failed", `Cannot write the backup ${file}: ${messageOf(error)}`, { cause: error });
  } finally {
    discard(part);
  }
}

/** Copies what `db` holds to `path`, which must not exist, with no slack and no write-ahead log. */
export function writeCopy(db: Database, path: string): void {
  // SQLite fills an empty file as it is; made by SQLite it would be open to the group for a moment.
  closeSync(openSync(path, "wx", 0o600));
  db.query("VACUUM INTO ?").run(path);
  sync(path);
}

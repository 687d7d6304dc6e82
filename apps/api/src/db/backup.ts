import { closeSync, existsSync, openSync } from "node:fs";
import { resolve } from "node:path";
import type { Database } from "bun:sqlite";
import { DatabaseError, messageOf } from "./error.ts";
import { discard, fileStamp, linkFile, sync, syncFolderOf } from "./files.ts";

/**
 * Writes all of `db`, other processes' work included, to the new file `path` (0600) and returns
 * its absolute name. The name appears only when the copy is whole and on the disk; an existing
 * file is never overwritten. Not inside a transaction.
 */
export function backup(db: Database, path: string): string {
  const file = resolve(path);
  if (existsSync(file)) throw taken(file);
  const part = `${file}.part-${crypto.randomUUID()}`;
  try {
    writeCopy(db, part);
    linkFile(part, file);
    syncFolderOf(file);
    return file;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw taken(file);
    throw new DatabaseError("backup_failed", `Cannot write the backup ${file}: ${messageOf(error)}`, { cause: error });
  } finally {
    discard(part);
  }
}

/** Like `backup`, to `<database>.backup-<version>-<time>`, with a number behind it when that is taken. */
export function backupBeside(db: Database, path: string, { version, now }: { version: number; now: Date }): string {
  const name = `${path}.backup-${version}-${fileStamp(now)}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return backup(db, attempt === 1 ? name : `${name}-${attempt}`);
    } catch (error) {
      // Another process that is about to migrate may have begun in the same millisecond.
      if (!(error instanceof DatabaseError && error.failure === "exists")) throw error;
    }
  }
}

const taken = (file: string): DatabaseError =>
  new DatabaseError("exists", `${file} exists already. Name another file for the backup.`);

/** Copies what `db` holds to `path`, which must not exist, with no slack and no write-ahead log. */
export function writeCopy(db: Database, path: string): void {
  // SQLite fills an empty file as it is; made by SQLite it would be open to the group for a moment.
  closeSync(openSync(path, "wx", 0o600));
  db.query("VACUUM INTO ?").run(path);
  sync(path);
}

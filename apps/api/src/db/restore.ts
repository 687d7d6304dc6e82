import { existsSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Database } from "bun:sqlite";
import { writeCopy } from "./backup.ts";
import { DatabaseError, messageOf } from "./error.ts";
import { discard, fileStamp, linkFile, syncFolderOf } from "./files.ts";
import { checkHistory } from "./history.ts";
import { acquireDatabaseLock } from "./lock.ts";
import { type Migration, migrations as released } from "./migrations/index.ts";
import { openDatabaseReadonly } from "./open.ts";

export interface RestoreReport {
  /** The last migration in the restored database. */
  version: number;
  /** Where the database that was there before is kept; null when there was none. */
  replaced: string | null;
}

interface Options {
  migrations?: readonly Migration[];
  now?: () => Date;
}

/**
 * Puts a copy of `from` in the place of the database `path` and keeps what was there beside it.
 * Refuses while a process holds the database, and a backup that is broken or not of this build.
 */
export function restore(
  path: string,
  from: string,
  { migrations = released, now = () => new Date() }: Options = {},
): RestoreReport {
  const lock = acquireDatabaseLock(path);
  try {
    const file = existsSync(path) ? realpathSync(path) : resolve(path);
    if (existsSync(from) && realpathSync(from) === file) {
      throw new DatabaseError("exists", `${from} is the database itself. Name a backup of it.`);
    }
    const fresh = `${file}.restore-${crypto.randomUUID()}`;
    try {
      const version = copyChecked(from, fresh, migrations);
      return { version, replaced: swap(file, fresh, `${file}.replaced-${fileStamp(now())}`) };
    } finally {
      discard(fresh);
    }
  } finally {
    lock.release();
  }
}

/** Copies the backup after looking it through; returns its version. */
function copyChecked(from: string, to: string, migrations: readonly Migration[]): number {
  const source = openDatabaseReadonly(from);
  try {
    refuseCorrupt(source, from);
    const version = checkHistory(source, migrations).length;
    if (version === 0) throw new DatabaseError("foreign", `${from} is not a backup of an AgentPod database.`);
    writeCopy(source, to);
    return version;
  } finally {
    source.close();
  }
}

function refuseCorrupt(db: Database, name: string): void {
  let finding: string | undefined;
  try {
    finding = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get()?.integrity_check;
  } catch (error) {
    finding = messageOf(error);
  }
  if (finding === "ok") return;
  throw new DatabaseError("corrupt", `${name} is damaged: ${messageOf(finding)}. Use another backup.`);
}

/**
 * Every moment of this leaves a whole database at `file`. The old write-ahead log has to go before
 * the new file comes, or SQLite would replay it into that.
 */
function swap(file: string, fresh: string, kept: string): string | null {
  const replaces = existsSync(file);
  if (replaces) {
    linkFile(file, kept);
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
    if (log !== undefined && log.size > 0) renameSync(`${file}-wal`, `${kept}-wal`);
  }
  rmSync(`${file}-wal`, { force: true });
  rmSync(`${file}-shm`, { force: true });
  // The log has to be gone on the disk, too, before the new file is there.
  syncFolderOf(file);
  renameSync(fresh, file);
  syncFolderOf(file);
  return replaces ? kept : null;
}

import { existsSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { acquireDatabaseLock } from "../db/lock.ts";
import { migrationStatus } from "../db/migrate.ts";
import { openDatabase, openDatabaseReadonly } from "../db/open.ts";
import { closeDatabase } from "../db/prepared.ts";
import { type CommandContext, CommandError } from "./command.ts";

/** Reads the database; the API may be at work on it. */
export function reading<Value>(context: CommandContext, use: (db: Database, path: string) => Value): Value {
  const path = existing(context);
  const db = openDatabaseReadonly(path);
  try {
    return use(db, path);
  } finally {
    closeDatabase(db);
  }
}

/** Has the database for itself: fails while the API runs. */
export function changing<Value>(path: string, use: (db: Database) => Value): Value {
  const lock = acquireDatabaseLock(path);
  try {
    const db = openDatabase(path);
    try {
      return use(db);
    } finally {
      closeDatabase(db);
    }
  } finally {
    lock.release();
  }
}

/** The database's path; fails when it is not there. */
export function existing(context: CommandContext): string {
  const { databasePath } = context.config();
  if (existsSync(databasePath)) return databasePath;
  throw new CommandError(`There is no database at ${databasePath} yet. 'agentpod db migrate' makes it.`);
}

/** Fails for a database of an older version, which lacks what this one looks for. */
export function requireMigrated(db: Database): void {
  const { version, latest } = migrationStatus(db);
  if (version < latest) throw notMigrated();
}

export const notMigrated = (): CommandError =>
  new CommandError("The database is not migrated yet: run 'agentpod db migrate' first.");

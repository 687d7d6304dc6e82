import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Database } from "bun:sqlite";
import { DatabaseError, messageOf } from "./error.ts";
import { migrate } from "./migrate.ts";
import { closeDatabase } from "./prepared.ts";

const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the database at `path`, or in memory for ":memory:". A missing file is made (0600, its
 * folder 0700). `migrate` brings the schema up to date; call `migrate(db)` to get its report.
 */
export function openDatabase(path: string, options: { migrate?: boolean } = {}): Database {
  const file = path === ":memory:" ? path : resolve(path);
  let db: Database | undefined;
  try {
    if (path === "") throw new Error("the path is empty");
    if (file !== ":memory:") makeFile(file);
    db = new Database(file, { strict: true, readwrite: true, create: true });
    // First, so that switching to WAL already waits for another connection.
    db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = NORMAL");
    db.run("PRAGMA foreign_keys = ON");
  } catch (error) {
    db?.close();
    throw new DatabaseError("cannot_open", `Cannot open the database ${file}: ${messageOf(error)}`, { cause: error });
  }
  if (options.migrate === true) {
    try {
      migrate(db);
    } catch (error) {
      closeDatabase(db);
      throw error;
    }
  }
  return db;
}

/** Opens an existing database to read from; nothing is made or changed. */
export function openDatabaseReadonly(path: string): Database {
  const file = resolve(path);
  let db: Database | undefined;
  try {
    db = new Database(file, { strict: true, readonly: true });
    db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // Fails here, not at the first use, when the file is something else.
    db.query("SELECT count(*) FROM sqlite_schema").get();
    return db;
  } catch (error) {
    db?.close();
    throw new DatabaseError("cannot_open", `Cannot open the database ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
}

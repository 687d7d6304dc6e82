import type { Database } from "bun:sqlite";
import { StorageError } from "./storage-error.ts";

/** Released steps are never edited: a database is at the number of steps it has gone through. */
const STEPS: readonly ((db: Database) => void)[] = [
  (db) => {
    // One row holds the events of one session in one commit. `bodies` is the last column, so that
    // reading the others does not touch the pages it runs over to.
    db.run(`CREATE TABLE event_segment (
      first_seq INTEGER PRIMARY KEY,
      last_seq INTEGER NOT NULL,
      session_id TEXT NOT NULL,
      time_ms INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      runs TEXT NOT NULL,
      bodies BLOB NOT NULL
    ) STRICT`);
    db.run("CREATE INDEX event_segment_session ON event_segment (session_id, last_seq, bytes)");
    db.run(`CREATE TABLE event_trim (
      session_id TEXT PRIMARY KEY,
      through INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`);
    db.run("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID");
    db.run(`CREATE TABLE session (
      id TEXT PRIMARY KEY,
      agent TEXT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      record TEXT NOT NULL
    ) STRICT`);
    db.run(`CREATE TABLE prompt (
      id TEXT PRIMARY KEY,
      session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
      status TEXT NOT NULL,
      idempotency_key TEXT,
      request_hash TEXT,
      record TEXT NOT NULL
    ) STRICT`);
    db.run("CREATE INDEX prompt_session ON prompt (session_id, id)");
    db.run(`CREATE UNIQUE INDEX prompt_key ON prompt (session_id, idempotency_key)
      WHERE idempotency_key IS NOT NULL`);
    db.run("CREATE INDEX prompt_unfinished ON prompt (id) WHERE status IN ('queued', 'running')");
    for (const table of ["permission", "elicitation"]) {
      db.run(`CREATE TABLE ${table} (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        status TEXT NOT NULL,
        record TEXT NOT NULL
      ) STRICT`);
      db.run(`CREATE INDEX ${table}_session ON ${table} (session_id, id)`);
      db.run(`CREATE INDEX ${table}_pending ON ${table} (id) WHERE status = 'pending'`);
    }
  },
];

/**
 * Brings the schema up to this build's, all of it or nothing.
 * @throws StorageError newer, for a database of a later build
 */
export function migrate(db: Database): void {
  const version = db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (version === STEPS.length) return;
  if (version > STEPS.length) {
    throw new StorageError(
      "newer",
      `${db.filename} is at version ${version}, this gateway knows ${STEPS.length}. ` +
        "Run the newer gateway, or move the file away to begin a new log.",
    );
  }
  db.transaction(() => {
    for (const step of STEPS.slice(version)) step(db);
    db.run(`PRAGMA user_version = ${STEPS.length}`);
  }).immediate();
}

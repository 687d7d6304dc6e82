import type { Database } from "bun:sqlite";
import { backupBeside } from "./backup.ts";
import { DatabaseError, messageOf } from "./error.ts";
import { type AppliedMigration, checkHistory, checksumOf, isEmpty } from "./history.ts";
import { type Migration, migrations as released } from "./migrations/index.ts";

export interface MigrationReport {
  /** The last migration's id before and after; 0 stands for none. */
  from: number;
  to: number;
  /** Names, in the order they ran. */
  applied: string[];
  reverted: string[];
  /** Absolute path of the copy made before; null when there was nothing to change or to lose. */
  backup: string | null;
}

export interface MigrationStatus {
  version: number;
  latest: number;
  migrations: { id: number; name: string; appliedAt: string | null }[];
}

interface Options {
  migrations?: readonly Migration[];
  now?: () => Date;
}

/**
 * Brings the schema up to date: all pending migrations or, when one fails, none. A file that holds
 * anything is copied beside itself first, and stays as it is when that fails.
 */
export function migrate(
  db: Database,
  { migrations = released, now = () => new Date() }: Options = {},
): MigrationReport {
  return change(db, migrations, migrations.length, now);
}

/** Reverts the migrations after number `to`, newest first; otherwise like `migrate`. */
export function rollback(
  db: Database,
  { to, migrations = released, now = () => new Date() }: Options & { to: number },
): MigrationReport {
  const { version } = migrationStatus(db, { migrations });
  if (!Number.isInteger(to) || to < 0 || to > version) {
    throw new DatabaseError("migration_failed", `Cannot roll back to ${to}: choose 0 to ${version}.`);
  }
  return change(db, migrations, to, now);
}

/** Fails like `migrate` would on a database that this build cannot work on. */
export function migrationStatus(db: Database, { migrations = released }: Options = {}): MigrationStatus {
  const applied = checkHistory(db, migrations);
  return {
    version: applied.length,
    latest: migrations.length,
    migrations: migrations.map(({ id, name }) => ({ id, name, appliedAt: applied[id - 1]?.appliedAt ?? null })),
  };
}

function change(db: Database, migrations: readonly Migration[], to: number, now: () => Date): MigrationReport {
  for (;;) {
    const from = checkHistory(db, migrations).length;
    if (from === to) return { from, to, applied: [], reverted: [], backup: null };
    const inFile = db.filename !== "" && db.filename !== ":memory:";
    const copy = inFile && !isEmpty(db) ? backupBeside(db, db.filename, { version: from, now: now() }) : null;
    const names = runAll(db, migrations, from, to, now);
    if (names !== undefined) {
      return { from, to, applied: to > from ? names : [], reverted: to > from ? [] : names, backup: copy };
    }
    // Another process migrated between the copy and the transaction; look again.
  }
}

/** Everything in one transaction; undefined when the database is no longer at `from`. */
function runAll(
  db: Database,
  migrations: readonly Migration[],
  from: number,
  to: number,
  now: () => Date,
): string[] | undefined {
  // Rebuilding a table would cascade into its children, and inside a transaction this has no effect.
  db.run("PRAGMA foreign_keys = OFF");
  try {
    return db
      .transaction(() => {
        if (checkHistory(db, migrations).length !== from) return undefined;
        createHistory(db);
        const steps = to > from ? migrations.slice(from, to) : migrations.slice(to, from).toReversed();
        for (const step of steps) run(db, step, to > from ? "up" : "down", now);
        refuseDangling(db);
        return steps.map(({ name }) => name);
      })
      .immediate();
  } finally {
    db.run("PRAGMA foreign_keys = ON");
  }
}

function run(db: Database, migration: Migration, direction: "up" | "down", now: () => Date): void {
  const { id, name } = migration;
  try {
    migration[direction](db);
  } catch (error) {
    const message = `Migration ${name} failed (${direction}): ${messageOf(error)}. The database is unchanged.`;
    throw new DatabaseError("migration_failed", message, { cause: error });
  }
  if (direction === "down") {
    db.query("DELETE FROM schema_migrations WHERE id = ?").run(id);
    return;
  }
  const row: AppliedMigration = { id, name, checksum: checksumOf(migration), appliedAt: now().toISOString() };
  const insert =
    "INSERT INTO schema_migrations (id, name, checksum, applied_at) VALUES ($id, $name, $checksum, $appliedAt)";
  db.query(insert).run({ ...row });
}

function createHistory(db: Database): void {
  db.run(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      checksum TEXT NOT NULL,
      applied_at TEXT NOT NULL
    ) STRICT
  `);
}

function refuseDangling(db: Database): void {
  const broken = db.query<{ table: string; parent: string }, []>("PRAGMA foreign_key_check").get();
  if (broken === null) return;
  const message = `The migrated ${broken.table} would point at missing ${broken.parent}. The database is unchanged.`;
  throw new DatabaseError("migration_failed", message);
}

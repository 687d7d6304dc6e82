import { createHash } from "node:crypto";
import type { Database } from "bun:sqlite";
import { DatabaseError } from "./error.ts";
import type { Migration } from "./migrations/index.ts";

export interface AppliedMigration {
  id: number;
  name: string;
  checksum: string;
  /** ISO 8601, UTC. */
  appliedAt: string;
}

/** What the database says was applied, in order; empty for one that was never migrated. */
export function appliedMigrations(db: Database): AppliedMigration[] {
  if (!hasTable(db, "schema_migrations")) return [];
  return db
    .query<AppliedMigration, []>(
      `SELECT id, name, checksum, applied_at AS "appliedAt" FROM schema_migrations ORDER BY id`,
    )
    .all();
}

/** Line ends and indentation do not count, so that neither git nor a formatter changes it. */
export function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.source().replace(/\s+/g, " ").trim()).digest("hex");
}

/**
 * Refuses a database this build cannot work on: `newer`, `changed`, `gap`, or `foreign`.
 * Returns what it has applied.
 */
export function checkHistory(db: Database, migrations: readonly Migration[]): AppliedMigration[] {
  migrations.forEach(({ id, name }, index) => {
    if (id === index + 1) return;
    throw new DatabaseError("gap", `Migration ${name} has id ${id} where ${index + 1} is due.`);
  });
  const applied = appliedMigrations(db);
  if (applied.length === 0) refuseForeign(db);
  applied.forEach(({ id, name, checksum }, index) => {
    const known = migrations[id - 1];
    if (known === undefined) {
      const message = `The database is newer than this build: it has migration ${name}, the build ends at ${migrations.length}. Use the newer build, or restore a backup.`;
      throw new DatabaseError("newer", message);
    }
    if (id !== index + 1) {
      throw new DatabaseError("gap", `The database has migration ${name} but lacks ${index + 1}. Restore a backup.`);
    }
    if (known.name !== name || checksumOf(known) !== checksum) {
      const message = `Migration ${name} changed after it was applied. Take back the change to ${known.name} and write a new migration.`;
      throw new DatabaseError("changed", message);
    }
  });
  return applied;
}

/** Whether anything was ever made in the database. */
export function isEmpty(db: Database): boolean {
  return db.query("SELECT 1 FROM sqlite_schema LIMIT 1").get() === null;
}

/** Tables without a history are taken over only when they are AgentPod's own from before the runner. */
function refuseForeign(db: Database): void {
  if (isEmpty(db) || hasTable(db, "schema_migrations")) return;
  const columns = db.query<{ name: string }, []>("SELECT name FROM pragma_table_info('projects')").all();
  const names = new Set(columns.map(({ name }) => name));
  if (["id", "slug", "container_tier_id", "coolify_app_uuid"].every((name) => names.has(name))) return;
  const message = `${db.filename} holds tables that are not AgentPod's. Set DATABASE_PATH to another file.`;
  throw new DatabaseError("foreign", message);
}

function hasTable(db: Database, name: string): boolean {
  return db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== null;
}

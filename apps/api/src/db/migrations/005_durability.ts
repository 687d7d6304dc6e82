import type { Database } from "bun:sqlite";

const now = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

/** A service keeps its name and its port inside also where it has none on this host. */
const portTable = (port: string) => `
    CREATE TABLE port_allocations (
      ${port},
      project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      container_port INTEGER NOT NULL,
      UNIQUE (project_id, name)
    ) STRICT
  `;

function remakePortTable(db: Database, port: string): void {
  db.run("ALTER TABLE port_allocations RENAME TO old_port_allocations");
  db.run(portTable(port));
  db.run(`
    INSERT INTO port_allocations (port, project_id, name, container_port)
    SELECT port, project_id, name, container_port FROM old_port_allocations WHERE port IS NOT NULL
  `);
  db.run("DROP TABLE old_port_allocations");
}

export function up(db: Database) {
  remakePortTable(db, "port INTEGER UNIQUE");

  // Each run of a step, so that what an operation did can be told after a crash. Goes with its operation.
  db.run(`
    CREATE TABLE operation_steps (
      operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      name TEXT NOT NULL,
      started_at TEXT NOT NULL DEFAULT ${now},
      finished_at TEXT,
      outcome TEXT,
      error_code TEXT,
      PRIMARY KEY (operation_id, position)
    ) STRICT, WITHOUT ROWID
  `);

  // The answer that a repeated request gets again. Without a foreign key: it outlives its project.
  db.run(`
    CREATE TABLE idempotency_keys (
      caller TEXT NOT NULL,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      project_id TEXT NOT NULL,
      status INTEGER NOT NULL,
      answer TEXT NOT NULL,
      created_at TEXT NOT NULL DEFAULT ${now},
      expires_at TEXT NOT NULL,
      PRIMARY KEY (caller, key)
    ) STRICT, WITHOUT ROWID
  `);
  db.run("CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at)");

  db.run(`
    CREATE TABLE legacy_usage (
      caller TEXT NOT NULL,
      client TEXT NOT NULL,
      route TEXT NOT NULL,
      outcome TEXT NOT NULL,
      count INTEGER NOT NULL,
      first_used_at TEXT NOT NULL,
      last_used_at TEXT NOT NULL,
      PRIMARY KEY (caller, client, route, outcome)
    ) STRICT, WITHOUT ROWID
  `);
}

export function down(db: Database) {
  remakePortTable(db, "port INTEGER PRIMARY KEY");
  for (const table of ["legacy_usage", "idempotency_keys", "operation_steps"]) db.run(`DROP TABLE ${table}`);
}

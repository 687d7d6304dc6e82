import type { Database } from "bun:sqlite";

const now = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

const projectColumns = [
  "desired_state TEXT NOT NULL DEFAULT 'running'",
  "runtime TEXT",
  "generation INTEGER NOT NULL DEFAULT 0",
  "image_ref TEXT",
  "gateway_token TEXT",
  "status_code TEXT",
  "status_message TEXT",
  "gateway_url TEXT",
  "code_server_url TEXT",
  "vnc_url TEXT",
  // Older versions kept whatever the runtime said in status; down must find that text again.
  `current_status TEXT GENERATED ALWAYS AS (
    CASE
      WHEN status IN ('creating', 'starting', 'running', 'updating', 'restarting', 'stopping', 'stopped', 'deleting', 'error') THEN status
      WHEN status IN ('active', 'deployed', 'healthy', 'ready') OR status LIKE 'running:%' THEN 'running'
      WHEN status IN ('exited', 'inactive', 'paused', 'sleeping') OR status LIKE 'exited:%' THEN 'stopped'
      WHEN status IN ('pending', 'queued', 'building', 'cloning') THEN 'creating'
      WHEN status IN ('deploying', 'redeploying') THEN 'updating'
      ELSE 'error'
    END
  ) VIRTUAL`,
];

/** Each serves one filter of the list, in the list's order. */
const projectIndexes = {
  projects_by_created: "created_at DESC, id DESC",
  projects_by_status: "current_status, created_at DESC, id DESC",
  projects_by_flavor: "flavor_id, created_at DESC, id DESC",
  projects_by_resource_tier: "resource_tier_id, created_at DESC, id DESC",
};

export function up(db: Database) {
  for (const column of projectColumns) db.run(`ALTER TABLE projects ADD COLUMN ${column}`);
  for (const [name, columns] of Object.entries(projectIndexes)) {
    db.run(`CREATE INDEX ${name} ON projects (${columns})`);
  }
  db.run("UPDATE projects SET desired_state = 'stopped' WHERE current_status IN ('stopped', 'stopping')");

  db.run(`
    CREATE TABLE port_allocations (
      port INTEGER PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      container_port INTEGER NOT NULL,
      UNIQUE (project_id, name)
    ) STRICT
  `);

  // Without a foreign key: the record of a delete outlives its project.
  db.run(`
    CREATE TABLE operations (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      status TEXT NOT NULL,
      step TEXT,
      input TEXT NOT NULL DEFAULT '{}',
      attempt INTEGER NOT NULL DEFAULT 0,
      retry_at TEXT,
      error_code TEXT,
      error_message TEXT,
      created_at TEXT NOT NULL DEFAULT ${now},
      started_at TEXT,
      finished_at TEXT
    ) STRICT
  `);
  db.run("CREATE UNIQUE INDEX operations_one_active ON operations (project_id) WHERE status IN ('pending', 'running')");
  db.run("CREATE INDEX operations_by_project ON operations (project_id, created_at DESC, id DESC)");

  db.run(`
    CREATE TABLE events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      project_id TEXT NOT NULL,
      operation_id TEXT,
      type TEXT NOT NULL,
      data TEXT NOT NULL DEFAULT '{}',
      created_at TEXT NOT NULL DEFAULT ${now}
    ) STRICT
  `);
  db.run("CREATE INDEX events_by_project ON events (project_id, id)");

  db.run("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
}

export function down(db: Database) {
  for (const table of ["meta", "events", "operations", "port_allocations"]) db.run(`DROP TABLE ${table}`);
  for (const name of Object.keys(projectIndexes)) db.run(`DROP INDEX ${name}`);
  for (const column of projectColumns.toReversed()) {
    db.run(`ALTER TABLE projects DROP COLUMN ${column.slice(0, column.indexOf(" "))}`);
  }
}

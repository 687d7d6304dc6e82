import type { Database } from "bun:sqlite";

const now = "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

// IF NOT EXISTS and OR IGNORE: a database from before the runner already holds these tables.
export function up(db: Database) {
  db.run(`
    CREATE TABLE IF NOT EXISTS container_tiers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      description TEXT,
      cpu_cores INTEGER NOT NULL,
      memory_gb INTEGER NOT NULL,
      storage_gb INTEGER NOT NULL,
      price_monthly REAL NOT NULL DEFAULT 0,
      is_default INTEGER NOT NULL DEFAULT 0,
      sort_order INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT ${now},
      updated_at TEXT NOT NULL DEFAULT ${now}
    )
  `);

  db.run(`
    CREATE TABLE IF NOT EXISTS projects (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      slug TEXT NOT NULL UNIQUE,
      description TEXT,
      source_url TEXT,
      container_tier_id TEXT,
      status TEXT NOT NULL DEFAULT 'creating',
      coolify_app_uuid TEXT,
      fqdn_url TEXT,
      created_at TEXT NOT NULL DEFAULT ${now},
      updated_at TEXT NOT NULL DEFAULT ${now}
    )
  `);

  db.run(`
    INSERT OR IGNORE INTO container_tiers (id, name, description, cpu_cores, memory_gb, storage_gb, price_monthly, is_default, sort_order) VALUES
    ('lite', 'Lite', 'Command line container for small projects', 1, 2, 20, 0, 0, 1),
    ('standard', 'Standard', 'Command line container for everyday work', 2, 4, 30, 10, 1, 2),
    ('pro', 'Pro', 'Command line container for larger projects', 4, 8, 50, 25, 0, 3),
    ('desktop', 'Desktop', 'Container with a full desktop', 4, 8, 50, 30, 0, 4)
  `);
}

export function down(db: Database) {
  db.run("DROP TABLE projects");
  db.run("DROP TABLE container_tiers");
}

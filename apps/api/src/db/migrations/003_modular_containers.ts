import type { Database } from "bun:sqlite";

export function up(db: Database) {
  db.run(`
    CREATE TABLE IF NOT EXISTS resource_tiers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      description TEXT,
      cpu_cores INTEGER NOT NULL,
      memory_gb INTEGER NOT NULL,
      storage_gb INTEGER NOT NULL,
      price_monthly REAL NOT NULL DEFAULT 0,
      is_default INTEGER NOT NULL DEFAULT 0,
      sort_order INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    )
  `);

  db.run(`
    CREATE TABLE IF NOT EXISTS container_flavors (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      description TEXT,
      languages TEXT NOT NULL DEFAULT '[]',
      image_size_mb INTEGER,
      is_default INTEGER NOT NULL DEFAULT 0,
      sort_order INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    )
  `);

  db.run(`
    CREATE TABLE IF NOT EXISTS container_addons (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      description TEXT,
      category TEXT NOT NULL,
      image_size_mb INTEGER,
      port INTEGER,
      requires_gpu INTEGER NOT NULL DEFAULT 0,
      requires_flavor TEXT,
      price_monthly REAL NOT NULL DEFAULT 0,
      sort_order INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    )
  `);

  db.run("ALTER TABLE projects ADD COLUMN resource_tier_id TEXT DEFAULT 'starter'");
  db.run("ALTER TABLE projects ADD COLUMN flavor_id TEXT DEFAULT 'fullstack'");
  db.run("ALTER TABLE projects ADD COLUMN addon_ids TEXT DEFAULT '[]'");

  db.run(`
    INSERT INTO resource_tiers (id, name, description, cpu_cores, memory_gb, storage_gb, price_monthly, is_default, sort_order) VALUES
    ('starter', 'Starter', 'Perfect for learning and small projects', 1, 2, 20, 0, 1, 1),
    ('builder', 'Builder', 'For active development and medium projects', 2, 4, 30, 10, 0, 2),
    ('creator', 'Creator', 'For professional development and larger projects', 4, 8, 50, 25, 0, 3),
    ('power', 'Power', 'Maximum resources for demanding workloads', 8, 16, 100, 50, 0, 4)
  `);

  db.run(`
    INSERT INTO container_flavors (id, name, description, languages, image_size_mb, is_default, sort_order) VALUES
    ('js', 'JavaScript', 'JavaScript and TypeScript development', '["javascript","typescript"]', 800, 0, 1),
    ('python', 'Python', 'Python development with data science tools', '["python"]', 900, 0, 2),
    ('go', 'Go', 'Go development environment', '["go"]', 700, 0, 3),
    ('rust', 'Rust', 'Rust development environment', '["rust"]', 1200, 0, 4),
    ('fullstack', 'Fullstack', 'JavaScript + Python for full-stack development', '["javascript","typescript","python"]', 1100, 1, 5),
    ('polyglot', 'Polyglot', 'All languages for maximum flexibility', '["javascript","typescript","python","go","rust"]', 2000, 0, 6)
  `);

  db.run(`
    INSERT INTO container_addons (id, name, description, category, image_size_mb, port, requires_gpu, price_monthly, sort_order) VALUES
    ('gui', 'Desktop GUI', 'Full desktop environment via KasmVNC', 'interface', 800, 6080, 0, 5, 1),
    ('code-server', 'VS Code', 'VS Code in browser via code-server', 'interface', 200, 8080, 0, 0, 2),
    ('databases', 'Databases', 'PostgreSQL, Redis, and SQLite', 'storage', 500, NULL, 0, 5, 3),
    ('cloud', 'Cloud Tools', 'AWS CLI, gcloud, Terraform, kubectl', 'devops', 400, NULL, 0, 0, 4),
    ('gpu', 'GPU Support', 'NVIDIA CUDA toolkit for ML/AI workloads', 'compute', 2000, NULL, 1, 20, 5)
  `);

  // Old tiers become a resource tier and addons; a missing or unknown one becomes the default.
  db.run(`
    UPDATE projects SET
      resource_tier_id = CASE container_tier_id
        WHEN 'lite' THEN 'starter'
        WHEN 'standard' THEN 'builder'
        WHEN 'pro' THEN 'creator'
        WHEN 'desktop' THEN 'creator'
        ELSE 'starter'
      END,
      flavor_id = 'fullstack',
      addon_ids = CASE container_tier_id
        WHEN 'desktop' THEN '["gui","code-server"]'
        ELSE '["code-server"]'
      END
  `);
}

export function down(db: Database) {
  db.run("ALTER TABLE projects DROP COLUMN addon_ids");
  db.run("ALTER TABLE projects DROP COLUMN flavor_id");
  db.run("ALTER TABLE projects DROP COLUMN resource_tier_id");
  db.run("DROP TABLE IF EXISTS container_addons");
  db.run("DROP TABLE IF EXISTS container_flavors");
  db.run("DROP TABLE IF EXISTS resource_tiers");
}

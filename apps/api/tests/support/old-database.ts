import { existsSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { migrate } from "../../src/db/migrate.ts";
import { migrations } from "../../src/db/migrations/index.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";

/** Id of a project and the tier it was made with: all four old ones, one unknown, none. */
export const oldProjects: readonly (readonly [id: string, tier: string | null])[] = [
  ["p-lite", "lite"],
  ["p-standard", "standard"],
  ["p-pro", "pro"],
  ["p-desktop", "desktop"],
  ["p-unknown", "huge"],
  ["p-none", null],
];

/** The world before the modular containers, as migrations 001 and 002 made it. */
export function makeOldDatabase(path: string): void {
  const db = openDatabase(path);
  migrate(db, { migrations: migrations.slice(0, 2) });
  const insert = db.query(
    `INSERT INTO projects (id, name, slug, description, source_url, container_tier_id, status, coolify_app_uuid, fqdn_url, created_at)
     VALUES ($id, $name, $id, 'It’s old', 'https://example.com/a.git', $tier, $status, 'app-1', 'https://a.example.com', $createdAt)`,
  );
  oldProjects.forEach(([id, tier], index) => {
    const status = index % 2 === 0 ? "running:healthy" : "stopped";
    insert.run({ id, name: `Project ${index}`, tier, status, createdAt: `2026-01-0${index + 1} 10:00:00` });
  });
  db.run(
    "INSERT INTO provider_credentials (id, provider_id, label, encrypted_value, key_id) VALUES ('c', 'openai', 'l', 'v', 'k')",
  );
  closeDatabase(db);
}

/** Every table's definition and rows, except the migrations' own record and SQLite's. */
export function dump(db: Database): Record<string, unknown> {
  const schema = db
    .query<{ name: string; type: string; sql: string }, []>(
      "SELECT name, type, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations' ORDER BY name",
    )
    .all();
  const tables = schema.filter(({ type }) => type === "table");
  const rows = tables.map(({ name }) => [name, db.query(`SELECT * FROM "${name}" ORDER BY 1`).all()] as const);
  return { schema, rows: Object.fromEntries(rows) };
}

/** `dump` of an existing file, looked at as it lies there. */
export function dumpFile(path: string): Record<string, unknown> {
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  const db = openDatabase(path);
  try {
    return dump(db);
  } finally {
    closeDatabase(db);
  }
}

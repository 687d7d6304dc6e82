import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { migrate, migrationStatus, rollback } from "../../src/db/migrate.ts";
import { type Migration, migrations } from "../../src/db/migrations/index.ts";
import { openDatabase } from "../../src/db/open.ts";
import { dump, makeOldDatabase } from "../support/old-database.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";

const newFolder = tempFolders();

function oldDatabase(): Database {
  const path = join(newFolder(), "agentpod.db");
  makeOldDatabase(path);
  return openDatabase(path);
}

const extra = (change: Partial<Migration>): Migration => ({
  id: migrations.length + 1,
  name: "999_extra",
  source: () => "extra",
  up: (db) => db.run("CREATE TABLE extra (id TEXT)"),
  down: (db) => db.run("DROP TABLE extra"),
  ...change,
});

describe("from the old tiers to modular containers", () => {
  test("every project gets the resource tier, flavor and addons of its old tier", () => {
    const db = oldDatabase();
    migrate(db);
    expect(
      db
        .query("SELECT id, container_tier_id, resource_tier_id, flavor_id, addon_ids FROM projects ORDER BY created_at")
        .values(),
    ).toEqual([
      ["p-lite", "lite", "starter", "fullstack", '["code-server"]'],
      ["p-standard", "standard", "builder", "fullstack", '["code-server"]'],
      ["p-pro", "pro", "creator", "fullstack", '["code-server"]'],
      ["p-desktop", "desktop", "creator", "fullstack", '["gui","code-server"]'],
      ["p-unknown", "huge", "starter", "fullstack", '["code-server"]'],
      ["p-none", null, "starter", "fullstack", '["code-server"]'],
    ]);
  });

  test("reverting brings back the very same tables and rows, and migrating again the same new ones", () => {
    const db = oldDatabase();
    const old = dump(db);
    migrate(db);
    const migrated = dump(db);
    expect(rollback(db, { to: 2 }).reverted).toEqual(["005_durability", "004_operations", "003_modular_containers"]);
    expect(dump(db)).toEqual(old);
    migrate(db);
    const times = /"(created|updated)_at":"[^"]*"/g;
    expect(JSON.stringify(dump(db)).replace(times, "")).toBe(JSON.stringify(migrated).replace(times, ""));
  });

  test("each migration alone is undone by its down", () => {
    const db = openDatabase(":memory:");
    migrations.forEach((_, index) => {
      const before = dump(db);
      migrate(db, { migrations: migrations.slice(0, index + 1) });
      rollback(db, { to: index, migrations: migrations.slice(0, index + 1) });
      expect(dump(db)).toEqual(before);
      migrate(db, { migrations: migrations.slice(0, index + 1) });
    });
  });

  test("takes over a database that the old migrations made before they were recorded", () => {
    const db = oldDatabase();
    db.run("DROP TABLE schema_migrations");
    expect(migrate(db).applied).toHaveLength(migrations.length);
    expect(db.query("SELECT count(*) AS n FROM projects").get()).toEqual({ n: 6 });
    expect(db.query("SELECT count(*) AS n FROM container_tiers").get()).toEqual({ n: 4 });
  });
});

describe("the runner", () => {
  test("applies everything once and says what and when", () => {
    const db = openDatabase(":memory:");
    const now = () => new Date("2026-03-01T00:00:00Z");
    expect(migrate(db, { now })).toEqual({
      from: 0,
      to: 5,
      applied: migrations.map(({ name }) => name),
      reverted: [],
      backup: null,
    });
    expect(migrate(db, { now })).toEqual({ from: 5, to: 5, applied: [], reverted: [], backup: null });
    expect(migrationStatus(db).migrations[2]).toEqual({
      id: 3,
      name: "003_modular_containers",
      appliedAt: "2026-03-01T00:00:00.000Z",
    });
  });

  test("copies a database that holds something before it touches it, and a new one not", () => {
    const path = join(newFolder(), "agentpod.db");
    const db = openDatabase(path);
    expect(migrate(db, { migrations: migrations.slice(0, 2) }).backup).toBeNull();
    const { backup } = migrate(db);
    if (backup === null) throw new Error("no backup");
    expect(backup).toStartWith(`${path}.backup-2-`);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(migrationStatus(new Database(backup, { readonly: true })).version).toBe(2);
  });

  test("does not start when the copy cannot be made", () => {
    const folder = newFolder();
    // Too long for any suffix of ours, but not for SQLite's.
    const path = join(folder, `${"x".repeat(240)}.db`);
    makeOldDatabase(path);
    const db = openDatabase(path);
    const before = dump(db);
    expect(thrown(() => migrate(db))).toMatchObject({ name: "DatabaseError", failure: "backup_failed" });
    expect(dump(db)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.includes(".part-"))).toEqual([]);
  });

  test("takes back the whole run when one migration fails", () => {
    const db = oldDatabase();
    const before = dump(db);
    const broken = extra({
      up: (target) => {
        target.run("CREATE TABLE extra (id TEXT)");
        target.run("INSERT INTO nowhere VALUES (1)");
      },
    });
    const error = thrown(() => migrate(db, { migrations: [...migrations, broken] }));
    expect(error).toMatchObject({ failure: "migration_failed" });
    expect(error.message).toBe("Migration 999_extra failed (up): no such table: nowhere. The database is unchanged.");
    expect(dump(db)).toEqual(before);
    expect(migrationStatus(db).version).toBe(2);
    expect(migrate(db).applied).toEqual(["003_modular_containers", "004_operations", "005_durability"]);
  });

  test("rebuilds a table without cascading into its children, and watches the keys again afterwards", () => {
    const db = oldDatabase();
    const rebuild = extra({
      up: (target) => {
        target.run("CREATE TABLE providers_new AS SELECT * FROM providers");
        target.run("DROP TABLE providers");
        target.run("CREATE TABLE providers (id TEXT PRIMARY KEY, name TEXT NOT NULL)");
        target.run("INSERT INTO providers SELECT id, name FROM providers_new");
        target.run("DROP TABLE providers_new");
      },
    });
    migrate(db, { migrations: [...migrations, rebuild] });
    expect(db.query("SELECT id FROM provider_credentials").all()).toEqual([{ id: "c" }]);
    expect(() =>
      db.run(
        "INSERT INTO provider_credentials (id, provider_id, label, encrypted_value, key_id) VALUES ('d', 'none', 'l', 'v', 'k')",
      ),
    ).toThrow("FOREIGN KEY");
  });

  test("refuses a migration that leaves a row without its parent", () => {
    const db = oldDatabase();
    const before = dump(db);
    const dangling = extra({ up: (target) => target.run("DELETE FROM providers WHERE id = 'openai'") });
    const error = thrown(() => migrate(db, { migrations: [...migrations, dangling] }));
    expect(error.message).toContain("provider_credentials would point at missing providers");
    expect(dump(db)).toEqual(before);
  });

  test("refuses a database that is newer than the build", () => {
    const db = openDatabase(":memory:");
    migrate(db, { migrations: [...migrations, extra({})] });
    for (const act of [() => migrate(db), () => rollback(db, { to: 2 }), () => migrationStatus(db)]) {
      expect(thrown(act)).toMatchObject({ failure: "newer" });
    }
  });

  test("refuses a released migration whose text changed, but not its indentation or line ends", () => {
    const db = openDatabase(":memory:");
    const changed = (source: string) => [...migrations, extra({ source: () => source })];
    migrate(db, { migrations: changed("CREATE\n  TABLE a") });
    expect(migrationStatus(db, { migrations: changed("CREATE\r\n\tTABLE a\n") }).version).toBe(migrations.length + 1);
    const error = thrown(() => migrate(db, { migrations: changed("CREATE TABLE b") }));
    expect(error).toMatchObject({ failure: "changed" });
    expect(error.message).toContain("999_extra changed after it was applied");
  });

  test("refuses a gap, in the build and in the database", () => {
    const db = openDatabase(":memory:");
    expect(
      thrown(() => migrate(db, { migrations: [...migrations, extra({ id: migrations.length + 2 })] })),
    ).toMatchObject({
      failure: "gap",
    });
    migrate(db);
    db.run("DELETE FROM schema_migrations WHERE id = 2");
    expect(thrown(() => migrate(db))).toMatchObject({ failure: "gap" });
  });

  test("refuses a database of another program", () => {
    const path = join(newFolder(), "other.db");
    const db = openDatabase(path);
    db.run("CREATE TABLE notes (id TEXT)");
    expect(thrown(() => migrate(db))).toMatchObject({ failure: "foreign" });
    expect(Object.keys(dump(db)["rows"] as object)).toEqual(["notes"]);
  });

  test("reverts only to a migration that is applied", () => {
    const db = openDatabase(":memory:", { migrate: true });
    for (const to of [-1, 6, 1.5, Number.NaN]) {
      expect(thrown(() => rollback(db, { to })).message).toBe(`Cannot roll back to ${to}: choose 0 to 5.`);
    }
    expect(rollback(db, { to: 5 }).reverted).toEqual([]);
    rollback(db, { to: 0 });
    expect(dump(db)["rows"]).toEqual({});
  });

  test("openDatabase with migrate closes the file again when that fails", () => {
    const path = join(newFolder(), "other.db");
    openDatabase(path).run("CREATE TABLE notes (id TEXT)");
    expect(thrown(() => openDatabase(path, { migrate: true }))).toMatchObject({ failure: "foreign" });
    expect(existsSync(path)).toBe(true);
  });
});

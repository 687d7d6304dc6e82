import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { backup, backupBeside } from "../../src/db/backup.ts";
import { acquireDatabaseLock } from "../../src/db/lock.ts";
import { migrate } from "../../src/db/migrate.ts";
import { migrations } from "../../src/db/migrations/index.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { restore } from "../../src/db/restore.ts";
import { dump, dumpFile, makeOldDatabase } from "../support/old-database.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";

const newFolder = tempFolders();

function oldDatabase(): { folder: string; path: string } {
  const folder = newFolder();
  const path = join(folder, "agentpod.db");
  makeOldDatabase(path);
  return { folder, path };
}

describe("backup", () => {
  test("holds what is only in the write-ahead log, privately, and leaves no scraps", () => {
    const { folder, path } = oldDatabase();
    const db = openDatabase(path);
    db.run("UPDATE projects SET name = 'just now'");
    const file = backup(db, join(folder, "copy.db"));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(dumpFile(file)).toEqual(dump(db));
    expect(readdirSync(folder).filter((name) => name.includes("part"))).toEqual([]);
  });

  test("overwrites nothing", () => {
    const { folder, path } = oldDatabase();
    const file = join(folder, "notes.txt");
    writeFileSync(file, "mine");
    expect(thrown(() => backup(openDatabase(path), file))).toMatchObject({ failure: "exists" });
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("beside the database it finds a name of its own, also in the same millisecond", () => {
    const { path } = oldDatabase();
    const db = openDatabase(path);
    const files = [1, 2, 3].map(() => backupBeside(db, path, { version: 2, now: new Date(0) }));
    const first = `${path}.backup-2-19700101T000000000Z`;
    expect(files).toEqual([first, `${first}-2`, `${first}-3`]);
  });

  test("says in one line why it cannot", () => {
    const { path } = oldDatabase();
    const error = thrown(() => backup(openDatabase(path), "/dev/null/copy.db"));
    expect(error).toMatchObject({ failure: "backup_failed" });
    expect(error.message).not.toContain("\n");
  });
});

describe("restore", () => {
  test("brings back the state before a migration and keeps the state after it", () => {
    const { path } = oldDatabase();
    const old = dumpFile(path);
    const db = openDatabase(path);
    const { backup: copy } = migrate(db);
    const migrated = dump(db);
    closeDatabase(db);
    const { version, replaced } = restore(path, copy ?? "");
    expect(version).toBe(2);
    expect(dumpFile(path)).toEqual(old);
    expect(dumpFile(replaced ?? "")).toEqual(migrated);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("a write-ahead log that a kill left behind stays with the old database", async () => {
    const { folder, path } = oldDatabase();
    const copy = backup(openDatabase(path), join(folder, "copy.db"));
    // A process that ends without closing leaves its last changes in the log alone.
    const script = `
      const { Database } = require("bun:sqlite");
      const db = new Database(${JSON.stringify(path)});
      db.run("PRAGMA wal_autocheckpoint = 0");
      db.run("UPDATE projects SET name = 'in the log'");
      process.kill(process.pid, "SIGKILL");`;
    await Bun.spawn([process.execPath, "-e", script]).exited;
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    const { replaced } = restore(path, copy);
    expect(existsSync(`${path}-wal`)).toBe(false);
    const names = (file: string) =>
      openDatabase(file).query("SELECT DISTINCT name FROM projects WHERE name = 'in the log'").all();
    expect(names(path)).toEqual([]);
    expect(names(replaced ?? "")).toEqual([{ name: "in the log" }]);
  });

  test("replaces a database that is damaged beyond opening", () => {
    const { folder, path } = oldDatabase();
    const copy = backup(openDatabase(path), join(folder, "copy.db"));
    const old = dumpFile(copy);
    const broken = join(folder, "broken.db");
    writeFileSync(broken, "not a database at all".repeat(500));
    const { replaced } = restore(broken, copy);
    expect(dumpFile(broken)).toEqual(old);
    expect(readFileSync(replaced ?? "", "utf8")).toStartWith("not a database");
  });

  test("makes the database where there was none, and follows a symbolic link", () => {
    const { folder, path } = oldDatabase();
    const target = join(folder, "new", "agentpod.db");
    expect(restore(target, path)).toEqual({ version: 2, replaced: null });
    symlinkSync(target, join(folder, "link.db"));
    expect(restore(join(folder, "link.db"), path).replaced).toStartWith(target);
    expect(dumpFile(target)).toEqual(dumpFile(path));
  });

  test("refuses while a process holds the database, and changes nothing", () => {
    const { folder, path } = oldDatabase();
    const copy = backup(openDatabase(path), join(folder, "copy.db"));
    const lock = acquireDatabaseLock(path);
    const files = readdirSync(folder);
    expect(thrown(() => restore(path, copy))).toMatchObject({ failure: "locked" });
    expect(readdirSync(folder)).toEqual(files);
    lock.release();
  });

  const refused: [what: string, failure: string, make: (file: string) => void][] = [
    ["a file that is no database", "cannot_open", (file) => writeFileSync(file, "hello ".repeat(1000))],
    ["a file that is not there", "cannot_open", () => {}],
    ["an empty database", "foreign", (file) => new Database(file).close()],
    ["another program's database", "foreign", (file) => new Database(file).run("CREATE TABLE notes (id)")],
    [
      "a database of a newer build",
      "newer",
      (file) => void migrate(openDatabase(file), { migrations: [...migrations, newer] }),
    ],
    ["a damaged database", "corrupt", damaged],
  ];
  const newer = { id: migrations.length + 1, name: "999_next", source: () => "", up: () => {}, down: () => {} };

  function damaged(file: string): void {
    makeOldDatabase(file);
    const bytes = readFileSync(file);
    // Page 3 on, so that the schema can still be read.
    bytes.fill(0xff, 2 * 4096, 6 * 4096);
    writeFileSync(file, bytes);
  }

  test.each(refused)("refuses %s and leaves the database as it is", (_, failure, make) => {
    const { folder, path } = oldDatabase();
    const before = dumpFile(path);
    const from = join(folder, "from.db");
    make(from);
    const error = thrown(() => restore(path, from));
    expect(error).toMatchObject({ name: "DatabaseError", failure });
    expect(error.message).not.toContain("\n");
    expect(dumpFile(path)).toEqual(before);
    expect(readdirSync(folder).filter((name) => /\.(restore|replaced)-/.test(name))).toEqual([]);
    acquireDatabaseLock(path).release();
  });

  test("refuses to restore the database from itself", () => {
    const { path } = oldDatabase();
    expect(thrown(() => restore(path, path))).toMatchObject({ failure: "exists" });
  });
});

import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { openDatabase, openDatabaseReadonly } from "../../src/db/open.ts";
import { closeDatabase, prepared } from "../../src/db/prepared.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";

const newFolder = tempFolders();

describe("openDatabase", () => {
  test("makes a private file in a private folder", () => {
    const path = join(newFolder(), "a", "b", "agentpod.db");
    openDatabase(path, { migrate: true });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "..", "..")).mode & 0o777).toBe(0o700);
  });

  test("leaves the permissions of what is there", () => {
    const folder = newFolder();
    const path = join(folder, "agentpod.db");
    writeFileSync(path, "");
    chmodSync(path, 0o640);
    openDatabase(path);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test("waits for others, logs ahead, watches keys and takes only known parameters", () => {
    const db = openDatabase(join(newFolder(), "agentpod.db"));
    const pragma = (name: string) => Object.values(db.query(`PRAGMA ${name}`).get() as object)[0] as unknown;
    expect(pragma("busy_timeout")).toBe(5000);
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(1);
    expect(pragma("foreign_keys")).toBe(1);
    expect(() => db.query("SELECT $a").get({ b: 1 })).toThrow('Missing parameter "a"');
  });

  test("works in memory", () => {
    const db = openDatabase(":memory:", { migrate: true });
    expect(db.query("SELECT count(*) AS n FROM resource_tiers").get()).toEqual({ n: 4 });
  });

  const impossible: [what: string, path: (folder: string) => string][] = [
    ["no path", () => ""],
    ["a folder", (folder) => folder],
    ["a file below a file", () => "/dev/null/agentpod.db"],
    [
      "something else",
      (folder) => {
        writeFileSync(join(folder, "text"), "hello ".repeat(1000));
        return join(folder, "text");
      },
    ],
  ];
  test.each(impossible)("tells in one line that %s is no database", (_, path) => {
    const file = path(newFolder());
    const error = thrown(() => openDatabase(file));
    expect(error).toMatchObject({ name: "DatabaseError", failure: "cannot_open" });
    expect(error.message).toStartWith("Cannot open the database ");
    expect(error.message).not.toContain("\n");
    expect(thrown(() => openDatabaseReadonly(file))).toMatchObject({ failure: "cannot_open" });
  });
});

describe("openDatabaseReadonly", () => {
  test("makes nothing and writes nothing", () => {
    const path = join(newFolder(), "agentpod.db");
    expect(thrown(() => openDatabaseReadonly(path))).toMatchObject({ failure: "cannot_open" });
    expect(existsSync(path)).toBe(false);
    closeDatabase(openDatabase(path, { migrate: true }));
    expect(() => openDatabaseReadonly(path).run("DELETE FROM projects")).toThrow("readonly");
  });

  test("reads beside a writer", () => {
    const path = join(newFolder(), "agentpod.db");
    const writer = openDatabase(path, { migrate: true });
    const reader = openDatabaseReadonly(path);
    writer.transaction(() => writer.run("DELETE FROM resource_tiers")).immediate();
    expect(reader.query("SELECT count(*) AS n FROM resource_tiers").get()).toEqual({ n: 0 });
  });
});

describe("prepared", () => {
  test("gives the same statement for the same text, however many there are", () => {
    const db = openDatabase(":memory:");
    const sqls = Array.from({ length: 100 }, (_, index) => `SELECT ${index} AS n`);
    const first = sqls.map((sql) => prepared(db, sql));
    expect(sqls.map((sql) => prepared(db, sql) === first[sqls.indexOf(sql)])).not.toContain(false);
    expect(prepared(openDatabase(":memory:"), "SELECT 1 AS n")).not.toBe(prepared(db, "SELECT 1 AS n"));
  });

  test("closing leaves one file with everything in it", () => {
    const folder = newFolder();
    mkdirSync(join(folder, "d"));
    const path = join(folder, "d", "agentpod.db");
    const db = openDatabase(path, { migrate: true });
    prepared(db, "SELECT * FROM resource_tiers").get();
    closeDatabase(db);
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(readFileSync(path, "latin1")).toContain("Perfect for learning");
  });
});

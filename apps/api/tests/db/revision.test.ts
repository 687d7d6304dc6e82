import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createRevision } from "../../src/db/revision.ts";

const folder = mkdtempSync(join(tmpdir(), "agentpod-revision-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a database's revision changes with every write, another connection's a moment later, and with nothing else", () => {
  const path = join(folder, "a.db");
  const db = openDatabase(path, { migrate: true });
  const other = openDatabase(path);
  let time = 0;
  const revision = createRevision(db, { othersEveryMs: 100, now: () => time });
  const seen = new Set<number>();
  const isNew = () => {
    const current = revision();
    const fresh = !seen.has(current);
    seen.add(current);
    return fresh;
  };
  expect(isNew()).toBe(true);
  db.query("SELECT * FROM container_flavors").all();
  expect(isNew()).toBe(false);
  db.run("UPDATE container_flavors SET name = 'X' WHERE id = 'js'");
  expect(isNew()).toBe(true);
  other.run("UPDATE container_flavors SET name = 'Y' WHERE id = 'js'");
  time += 99;
  expect(isNew()).toBe(false);
  time += 1;
  expect(isNew()).toBe(true);
  other.run("DELETE FROM container_addons");
  db.run("DELETE FROM resource_tiers WHERE id = 'power'");
  expect(isNew()).toBe(true);
  db.run("DELETE FROM resource_tiers WHERE id = 'nope'");
  expect(isNew()).toBe(false);
  closeDatabase(other);
  closeDatabase(db);
});

import { afterAll, describe, expect, test } from "bun:test";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, rollback } from "../../src/db/migrate.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { loadInstanceId } from "../../src/services/instance-id.ts";
import { newDataDir, removeDataDir } from "../support/api-process.ts";

const folders: string[] = [];
afterAll(() => folders.forEach(removeDataDir));

function world() {
  const dataDir = newDataDir();
  folders.push(dataDir);
  const file = join(dataDir, "instance-id");
  const db = openDatabase(join(dataDir, "agentpod.db"), { migrate: true });
  return { db, file };
}

describe("the installation's id", () => {
  test("stays, and differs from every other's", () => {
    const [one, other] = [world(), world()];
    const id = loadInstanceId(one.db, one.file);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(loadInstanceId(one.db, one.file)).toBe(id);
    expect(loadInstanceId(other.db, other.file)).not.toBe(id);
    expect(statSync(one.file).mode & 0o777).toBe(0o600);
  });

  test("comes back after a rollback and a new migration, so that sandboxes are still its own", () => {
    const { db, file } = world();
    const id = loadInstanceId(db, file);
    rollback(db, { to: 2 });
    migrate(db);
    expect(loadInstanceId(db, file)).toBe(id);
  });

  test("is the database's own when the two differ, or the file is gone or damaged", () => {
    const { db, file } = world();
    const id = loadInstanceId(db, file);
    for (const other of ["0123456789abcdef\n", "x", undefined]) {
      if (other === undefined) rmSync(file);
      else writeFileSync(file, other);
      expect(loadInstanceId(db, file)).toBe(id);
    }
    closeDatabase(db);
  });
});

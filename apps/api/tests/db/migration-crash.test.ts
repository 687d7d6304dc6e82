import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { migrationStatus } from "../../src/db/migrate.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { dump, dumpFile, makeOldDatabase, oldProjects } from "../support/old-database.ts";
import { runScript } from "../support/run-script.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();

/** Three tables, three columns, three seeds, the mapping. */
const statements = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

function manyOldProjects(): string {
  const path = join(newFolder(), "agentpod.db");
  makeOldDatabase(path);
  const db = openDatabase(path);
  db.run(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO projects (id, name, slug, container_tier_id) SELECT 'q' || i, 'Q', 'q-' || i, 'pro' FROM n`);
  closeDatabase(db);
  return path;
}

describe("killed in the middle of 003", () => {
  test.each(statements)(
    "before its statement %i, the old database is whole and the next start migrates it",
    async (statement) => {
      const path = manyOldProjects();
      const before = dumpFile(path);
      const crash = await runScript("support/crash-in-migration.ts", path, "003_modular_containers", String(statement));
      expect(crash).toMatchObject({ signal: "SIGKILL", stderr: "" });

      const after = new Database(path);
      expect(dump(after)).toEqual(before);
      expect(after.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      expect(migrationStatus(after).version).toBe(2);
      after.close();
      const copy = readdirSync(join(path, "..")).find((name) => name.includes(".backup-2-"));
      expect(dumpFile(join(path, "..", copy ?? "no backup"))).toEqual(before);

      const next = openDatabase(path, { migrate: true });
      expect(
        next.query("SELECT resource_tier_id AS tier, count(*) AS n FROM projects GROUP BY 1 ORDER BY 1").all(),
      ).toEqual([
        { tier: "builder", n: 1 },
        { tier: "creator", n: 3002 },
        { tier: "starter", n: oldProjects.length - 3 },
      ]);
      closeDatabase(next);
    },
  );

  test("when it had already spilled into the write-ahead log", async () => {
    const path = manyOldProjects();
    const before = dumpFile(path);
    // 004 starts after all of 003's rows were changed in the same transaction.
    expect(await runScript("support/crash-in-migration.ts", path, "004_operations", "1")).toMatchObject({
      signal: "SIGKILL",
    });
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(100_000);
    expect(dumpFile(path)).toEqual(before);
  });
});

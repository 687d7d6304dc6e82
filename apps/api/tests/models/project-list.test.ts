import type { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { countProjects, insertProject, listProjects, type ProjectFilter } from "../../src/models/index.ts";
import { listQuery } from "../../src/models/project-list.ts";
import { makeOldDatabase } from "../support/old-database.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();

/** Every third is stopped, every fourth on builder, every fifth js, one has the gui; two share each millisecond. */
function filled(count: number): Database {
  const db = openDatabase(":memory:", { migrate: true });
  db.run(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO projects (id, name, slug, status, resource_tier_id, flavor_id, addon_ids, created_at)
    SELECT printf('p%06d', i), 'Project ' || i, 'project-' || i, iif(i % 3 = 0, 'stopped', 'running'),
      iif(i % 4 = 0, 'builder', 'starter'), iif(i % 5 = 0, 'js', 'fullstack'),
      iif(i = 7, '["code-server","gui"]', '["code-server"]'),
      strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + (i / 2) * 0.001, 'unixepoch') FROM n`);
  return db;
}

function allPages(db: Database, filter: ProjectFilter, limit: number): string[] {
  const ids: string[] = [];
  let after: { createdAt: string; id: string } | undefined;
  for (;;) {
    const page = listProjects(db, { ...filter, limit, after });
    ids.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return ids;
    expect(ids.length).toBeLessThan(10_000);
    after = { createdAt: last.createdAt, id: last.id };
  }
}

describe("listProjects", () => {
  test("pages through all, newest first, each once", () => {
    const db = filled(101);
    const expected = Array.from({ length: 101 }, (_, index) => `p${String(101 - index).padStart(6, "0")}`);
    for (const limit of [1, 7, 100, 101, 500]) expect(allPages(db, {}, limit)).toEqual(expected);
  });

  test("pages on after the last project was deleted, and over rows of older versions", () => {
    const db = filled(20);
    const first = listProjects(db, { limit: 5 });
    const last = first[4];
    if (last === undefined) throw new Error("no page");
    db.run("DELETE FROM projects WHERE id = ?", [last.id]);
    expect(listProjects(db, { limit: 1, after: last })[0]?.id).toBe("p000015");

    const path = `${newFolder()}/agentpod.db`;
    makeOldDatabase(path);
    const old = openDatabase(path, { migrate: true });
    expect(allPages(old, {}, 1)).toEqual(["p-none", "p-unknown", "p-desktop", "p-pro", "p-standard", "p-lite"]);
    expect(allPages(old, { status: "running" }, 1)).toEqual(["p-unknown", "p-pro", "p-lite"]);
  });

  const filters: [ProjectFilter, (i: number) => boolean][] = [
    [{ status: "stopped" }, (i) => i % 3 === 0],
    [{ flavorId: "js" }, (i) => i % 5 === 0],
    [{ resourceTierId: "builder" }, (i) => i % 4 === 0],
    [{ addonId: "gui" }, (i) => i === 7],
    [{ addonId: "code" }, () => false],
    [{ search: "PROJECT 1" }, (i) => String(i).startsWith("1")],
    [{ search: "ject-12" }, (i) => String(i).startsWith("12")],
    [{ search: "%" }, () => false],
    [{ search: "_" }, () => false],
    [{ search: "" }, () => true],
    [
      { status: "stopped", flavorId: "js", resourceTierId: "builder", addonId: "code-server", search: "6" },
      (i) => i % 60 === 0 && String(i).includes("6"),
    ],
    [{ status: "error" }, () => false],
  ];
  test.each(filters)("filters by %j", (filter, matches) => {
    const db = filled(200);
    const expected = Array.from({ length: 200 }, (_, index) => 200 - index)
      .filter(matches)
      .map((i) => `p${String(i).padStart(6, "0")}`);
    expect(allPages(db, filter, 9)).toEqual(expected);
    expect(countProjects(db, filter)).toBe(expected.length);
  });

  test.each(filters)("reads no more than an index gives for %j", (filter) => {
    const db = filled(10);
    for (const after of [undefined, { createdAt: "2026-01-01T00:00:00.000Z", id: "p000005" }]) {
      const { sql, values } = listQuery({ ...filter, limit: 10, after });
      const explain = db.prepare<{ detail: string }, [Record<string, string | number>]>(`EXPLAIN QUERY PLAN ${sql}`);
      const steps = explain.all(values).map(({ detail }) => detail);
      explain.finalize();
      expect(steps[0]).toMatch(/^(SEARCH|SCAN) p USING INDEX projects_by_/);
      expect(steps.filter((step) => step.includes("ORDER BY") && !step.includes("json_group_array"))).toEqual([]);
      if (after !== undefined) expect(steps[0]).toContain("(created_at,id)<(?,?)");
    }
  });

  test("a page takes as long at 100,000 rows as at 100", () => {
    const small = filled(100);
    const large = filled(100_000);
    const pageTime = (db: Database, id: string): number => {
      const after = listProjects(db, { limit: 1, after: { createdAt: "9", id } })[0];
      if (after === undefined) throw new Error("no project");
      const times = Array.from({ length: 40 }, () => {
        const start = performance.now();
        listProjects(db, { limit: 50, after });
        return performance.now() - start;
      });
      return times.toSorted((a, b) => a - b)[4] ?? Number.NaN;
    };
    pageTime(small, "p000080");
    // The aim is 1.3; the rest is for a busy machine. Without the index it is over 100.
    expect(pageTime(large, "p050000") / pageTime(small, "p000080")).toBeLessThan(2);
  });

  test("is empty in a new database", () => {
    const db = openDatabase(":memory:", { migrate: true });
    expect([listProjects(db, { limit: 10 }), countProjects(db)]).toEqual([[], 0]);
    insertProject(db, { name: "A", slug: "a", resourceTierId: "starter", flavorId: "js", addonIds: [] });
    expect(countProjects(db)).toBe(1);
  });
});

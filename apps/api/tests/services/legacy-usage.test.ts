import { join } from "node:path";
import type { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createLogger } from "../../src/http/logger.ts";
import { listLegacyUsage } from "../../src/models/legacy-usage.ts";
import { clientOf, createLegacyUsage, type LegacyUsageDeps } from "../../src/services/legacy-usage.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { until } from "../support/wait.ts";

const newFolder = tempFolders();

function start(db: Database, options: Partial<LegacyUsageDeps> = {}) {
  const lines: string[] = [];
  const logger = createLogger("info", { write: (line) => void lines.push(line) });
  const sunsetAt = new Date("2099-01-01T00:00:00Z");
  const usage = createLegacyUsage({ db, logger, sunsetAt, now: () => new Date(), flushMs: 20, ...options });
  const use = (userAgent: string | null = "curl/8") =>
    usage.count({ caller: "token", userAgent, route: "GET /api/container-tiers", outcome: "accepted" });
  const counts = () => Object.fromEntries(usage.report().usage.map(({ client, count }) => [client, count]));
  const stored = () => Object.fromEntries(listLegacyUsage(db).map(({ client, count }) => [client, count]));
  return { usage, use, counts, stored, lines };
}

const newDatabase = () => openDatabase(join(newFolder(), "agentpod.db"), { migrate: true });

describe("uses of deprecated calls", () => {
  test("are told at once and written down a moment later", async () => {
    const db = newDatabase();
    const { usage, use, counts, stored } = start(db);
    use();
    use();
    expect([counts(), stored()]).toEqual([{ curl: 2 }, {}]);
    await until("they are written down", () => stored()["curl"], 5_000);
    expect([counts(), stored()]).toEqual([{ curl: 2 }, { curl: 2 }]);
    usage.close();
    closeDatabase(db);
  });

  test("go on from what an earlier process counted, and none is lost when it ends", () => {
    const path = join(newFolder(), "agentpod.db");
    for (const round of [1, 2, 3]) {
      const db = openDatabase(path, { migrate: true });
      const { usage, use, stored } = start(db, { flushMs: 60_000 });
      use();
      use("wget/1");
      usage.close();
      expect(stored()).toEqual({ curl: round, wget: round });
      closeDatabase(db);
    }
  });

  test("keep the first and the last time", () => {
    const db = newDatabase();
    let now = new Date("2026-12-01T00:00:00Z");
    const { usage, use } = start(db, { now: () => now });
    use();
    usage.close();
    now = new Date("2026-12-02T00:00:00Z");
    use();
    const [only] = usage.report().usage;
    expect([only?.firstUsedAt, only?.lastUsedAt]).toEqual(["2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z"]);
    usage.close();
    expect(listLegacyUsage(db)).toEqual(only === undefined ? [] : [only]);
    closeDatabase(db);
  });

  test("of more clients than are told apart count as other, also over a restart", () => {
    const db = newDatabase();
    const first = start(db, { clientsMax: 3 });
    for (const name of ["a", "b", "c", "d", "e", "a"]) first.use(name);
    expect(first.counts()).toEqual({ a: 2, b: 1, c: 1, other: 2 });
    first.usage.close();
    const second = start(db, { clientsMax: 3 });
    for (const name of ["b", "f"]) second.use(name);
    expect(second.counts()).toEqual({ a: 2, b: 2, c: 1, other: 3 });
    second.usage.close();
    closeDatabase(db);
  });

  test("are kept while the database takes no writes, without waiting for it, and told once in the log", async () => {
    const db = newDatabase();
    const other = openDatabase(db.filename);
    const { usage, use, counts, stored, lines } = start(db);
    other.run("BEGIN IMMEDIATE");
    const startedAt = performance.now();
    use();
    await until("writing them failed", () => (lines.length > 0 ? true : undefined), 5_000);
    use();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect([counts(), stored(), lines.length]).toEqual([{ curl: 2 }, {}, 1]);
    other.run("COMMIT");
    await until("they are written down", () => (stored()["curl"] === 2 ? true : undefined), 5_000);
    expect(db.query<{ timeout: number }, []>("PRAGMA busy_timeout").get()?.timeout).toBe(5000);
    usage.close();
    closeDatabase(other);
    closeDatabase(db);
  });

  test("are kept while the disk is full", async () => {
    const db = newDatabase();
    const { usage, use, counts, stored, lines } = start(db);
    // SQLite answers as on a full disk once it may not grow.
    const pages = db.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count ?? 0;
    db.run(`PRAGMA max_page_count = ${pages}`);
    for (let n = 0; n < 500; n += 1) use(`client-${String(n).padStart(50, "0")}`);
    await until("writing them failed", () => (lines.length > 0 ? true : undefined), 5_000);
    expect([Object.keys(counts()).length, Object.keys(stored()).length]).toEqual([500, 0]);
    db.run("PRAGMA max_page_count = 1000000");
    await until("they are written down", () => (Object.keys(stored()).length === 500 ? true : undefined), 5_000);
    usage.close();
    closeDatabase(db);
  });
});

describe("a client", () => {
  test.each([
    ["curl/8.14.1", "curl"],
    ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla"],
    ["agentpod-cli", "agentpod-cli"],
    [" python-requests/2.0", "python-requests"],
    ["my app/1", "my"],
    ["x".repeat(100), "x".repeat(60)],
    ["b\u00e9t\u0007a/1", "bta"],
    ["", "unknown"],
    ["/1.0", "unknown"],
    ["\u00e9/1", "unknown"],
    [null, "unknown"],
  ])("that says it is %j is %s", (userAgent, client) => {
    expect(clientOf(userAgent)).toBe(client);
  });
});

import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "bun:test";
import { acquireDatabaseLock } from "../../src/db/lock.ts";
import { migrationStatus } from "../../src/db/migrate.ts";
import { openDatabase } from "../../src/db/open.ts";
import { makeOldDatabase } from "../support/old-database.ts";
import { runScript, startScript } from "../support/run-script.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";
import { until } from "../support/wait.ts";

const newFolder = tempFolders();
const children: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

async function holder(path: string): Promise<Bun.Subprocess> {
  const child = startScript("support/hold-lock.ts", path);
  children.push(child);
  const first = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(first.value)).toBe("held\n");
  return child;
}

describe("one process a database", () => {
  test("refuses the second, says what to do, and lets it in when the first was killed", async () => {
    const path = join(newFolder(), "deep", "agentpod.db");
    const child = await holder(path);
    const error = thrown(() => acquireDatabaseLock(path));
    expect(error).toMatchObject({ name: "DatabaseError", failure: "locked" });
    expect(error.message).toBe(`Another AgentPod process uses ${path}. Stop it first, or set another DATABASE_PATH.`);
    child.kill("SIGKILL");
    await child.exited;
    acquireDatabaseLock(path).release();
  });

  test("a symbolic link is no way around it", async () => {
    const folder = newFolder();
    const path = join(folder, "agentpod.db");
    makeOldDatabase(path);
    await holder(path);
    symlinkSync(path, join(folder, "link.db"));
    expect(thrown(() => acquireDatabaseLock(join(folder, "link.db")))).toMatchObject({ failure: "locked" });
  });

  test("release frees it, also when called twice", () => {
    const path = join(newFolder(), "agentpod.db");
    const lock = acquireDatabaseLock(path);
    expect(thrown(() => acquireDatabaseLock(path))).toMatchObject({ failure: "locked" });
    lock.release();
    const next = acquireDatabaseLock(path);
    lock.release();
    expect(thrown(() => acquireDatabaseLock(path))).toMatchObject({ failure: "locked" });
    next.release();
  });

  test("it is kept though nobody keeps what was returned", async () => {
    const path = join(newFolder(), "agentpod.db");
    await holder(path);
    // The holder collects garbage all the time; a few rounds of that have to pass.
    let rounds = 0;
    await until("five looks", () => {
      expect(thrown(() => acquireDatabaseLock(path))).toMatchObject({ failure: "locked" });
      return ++rounds === 5 || undefined;
    });
  });

  test("waits as long as it is told for the one before", async () => {
    const path = join(newFolder(), "agentpod.db");
    const child = await holder(path);
    setTimeout(() => child.kill("SIGKILL"), 0);
    await child.exited;
    acquireDatabaseLock(path, { waitMs: 2000 }).release();
  });

  test("a folder that cannot be made is told in one line", () => {
    const error = thrown(() => acquireDatabaseLock("/dev/null/agentpod.db"));
    expect(error).toMatchObject({ failure: "cannot_open" });
    expect(error.message).toStartWith("Cannot lock the database /dev/null/agentpod.db: ");
  });

  test("databases in memory need none", () => {
    acquireDatabaseLock(":memory:").release();
    acquireDatabaseLock(":memory:");
  });
});

test("processes that migrate the same file at once do it once, and none fails", async () => {
  const path = join(newFolder(), "agentpod.db");
  makeOldDatabase(path);
  const runs = await Promise.all(Array.from({ length: 4 }, () => runScript("support/open-and-migrate.ts", path)));
  expect(runs.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
    runs.map(() => ({ exitCode: 0, stderr: "" })),
  );
  const applied = runs.map(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied);
  expect(applied.flat().toSorted()).toEqual(["003_modular_containers", "004_operations", "005_durability"]);
  expect(migrationStatus(openDatabase(path)).version).toBe(5);
});

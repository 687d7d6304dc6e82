import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { migrationStatus } from "../../src/db/migrate.ts";
import { openDatabase, openDatabaseReadonly } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { dumpFile, makeOldDatabase } from "../support/old-database.ts";
import { runCli, runCliInTerminal } from "../support/run-cli.ts";
import { startScript } from "../support/run-script.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();

function world({ old = true } = {}) {
  const folder = newFolder();
  const path = join(folder, "agentpod.db");
  if (old) makeOldDatabase(path);
  const env = { DATA_DIR: folder };
  return { folder, path, env, db: (...args: string[]) => runCli(["db", ...args], { env }) };
}

const versionOf = (path: string): number => {
  const db = openDatabaseReadonly(path);
  try {
    return migrationStatus(db).version;
  } finally {
    closeDatabase(db);
  }
};

const fileAfter = (label: string, text: string): string =>
  new RegExp(`^${label}: (.*)$`, "m").exec(text)?.[1] ?? "not named";

describe("agentpod db", () => {
  test("migrates, tells the status, rolls back, backs up and restores, as the plan's checklists ask", async () => {
    const { path, db } = world();
    const old = dumpFile(path);

    expect((await db("status")).stdout).toMatch(/002_providers +20[^]*003_modular_containers +pending[^]*3 pending: /);
    const migrated = await db("migrate");
    expect(migrated).toMatchObject({ exitCode: 0, stderr: "" });
    expect(migrated.stdout).toStartWith("Applied 003_modular_containers, 004_operations, 005_durability.\n");
    expect(dumpFile(fileAfter("Backup", migrated.stdout))).toEqual(old);
    expect((await db("status")).stdout).toEndWith("Up to date.\n");
    expect((await db("migrate")).stdout).toBe(`${path} is up to date (migration 5).\n`);

    const rolledBack = await db("rollback", "--to", "2");
    expect(rolledBack.stdout).toStartWith("Reverted 005_durability, 004_operations, 003_modular_containers.\n");
    expect(dumpFile(path)).toEqual(old);
    const restored = await db("restore", fileAfter("Backup", rolledBack.stdout), "--yes");
    expect(restored.stdout).toStartWith(`Restored ${path} (migration 5).\n`);
    expect(versionOf(path)).toBe(5);
    expect(dumpFile(fileAfter("The database that was there", restored.stdout))).toEqual(old);
  });

  test("rollback takes one step unless told how many", async () => {
    const { path, db } = world();
    await db("migrate");
    expect((await db("rollback")).stdout).toContain("Reverted 005_durability.");
    expect((await db("rollback", "--steps=2")).stdout).toContain("Reverted 004_operations, 003_modular_containers.");
    expect(versionOf(path)).toBe(2);
    expect(await db("rollback", "--to", "3")).toMatchObject({
      exitCode: 1,
      stderr: "agentpod: Cannot roll back to 3: choose 0 to 2.\n",
    });
    expect((await db("rollback", "--steps", "0")).stdout).toBe("Nothing to revert: migration 2 is the last.\n");
  });

  const misused = [["--to", "1", "--steps", "1"], ["--to", "x"], ["--steps=-1"], ["--to"], ["--steps", "1.5"]];
  test.each(misused.map((args) => ({ args })))("rollback $args is not understood", async ({ args }) => {
    const { path, db } = world();
    const { exitCode, stderr } = await db("rollback", ...args);
    expect({ exitCode, lines: stderr.split("\n").length }).toEqual({ exitCode: 2, lines: 2 });
    expect(versionOf(path)).toBe(2);
  });

  test("backup goes where it is told, while another process has the database", async () => {
    const { folder, path, db } = world();
    const holder = startScript("support/hold-lock.ts", path);
    await holder.stdout.getReader().read();
    const open = openDatabase(path);
    open.run("UPDATE projects SET name = 'new'");
    const file = join(folder, "my backup.db");
    expect(await db("backup", file)).toMatchObject({ exitCode: 0, stdout: `Backup: ${file}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(dumpFile(file)).toEqual(dumpFile(path));
    expect(await db("backup", file)).toMatchObject({
      exitCode: 1,
      stderr: `agentpod: ${file} exists already. Name another file for the backup.\n`,
    });

    const commands: string[][] = [["migrate"], ["rollback"], ["restore", file, "--yes"]];
    for (const command of commands) {
      const refused = await db(...command);
      expect(refused).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: `agentpod: Another AgentPod process uses ${path}. Stop it first, or set another DATABASE_PATH.\n`,
      });
    }
    holder.kill("SIGKILL");
    await holder.exited;
  });

  test("restore asks a human, and without one wants --yes", async () => {
    const { folder, path, env, db } = world();
    const file = fileAfter("Backup", (await db("backup")).stdout);
    const files = readdirSync(folder).filter((name) => !name.endsWith(".lock"));
    expect(await db("restore", file)).toMatchObject({
      exitCode: 2,
      stderr: "agentpod: Nobody can be asked here: repeat the command with --yes.\n",
    });
    const refused = await runCliInTerminal(["db", "restore", file], { env, typed: "n" });
    expect(refused.shown).toStartWith(`Replace ${path} by ${file}?`);
    expect(refused.exitCode).toBe(1);
    expect(readdirSync(folder).filter((name) => !/\.lock$|-(shm|wal)$/.test(name))).toEqual(
      files.filter((name) => !/-(shm|wal)$/.test(name)),
    );
    const agreed = await runCliInTerminal(["db", "restore", file], { env, typed: "y" });
    expect(agreed.shown).toContain("Restored ");
    expect(agreed.exitCode).toBe(0);
  });

  test("restore says in one line what is wrong with the file", async () => {
    const { folder, db } = world();
    writeFileSync(join(folder, "text"), "hello ".repeat(500));
    expect(await db("restore")).toMatchObject({ exitCode: 2 });
    expect(await db("restore", join(folder, "none"), "--yes")).toMatchObject({
      exitCode: 1,
      stderr: `agentpod: There is no file ${join(folder, "none")}.\n`,
    });
    expect(await db("restore", join(folder, "text"), "--yes")).toMatchObject({
      exitCode: 1,
      stderr: `agentpod: Cannot open the database ${join(folder, "text")}: file is not a database\n`,
    });
  });

  test("status makes nothing where there is no database; migrate makes it", async () => {
    const { folder, path, db } = world({ old: false });
    expect((await db("status")).stdout).toContain("(not there yet)");
    expect(readdirSync(folder)).toEqual([]);
    for (const command of ["rollback", "backup"]) {
      expect(await db(command)).toMatchObject({
        exitCode: 1,
        stderr: `agentpod: There is no database at ${path} yet. 'agentpod db migrate' makes it.\n`,
      });
    }
    expect(JSON.parse((await db("status", "--json")).stdout)).toMatchObject({
      path,
      exists: false,
      version: 0,
      latest: 5,
    });
    expect((await db("migrate")).exitCode).toBe(0);
    expect(JSON.parse((await db("status", "--json")).stdout)).toMatchObject({
      path,
      exists: true,
      version: 5,
      latest: 5,
    });
  });

  test("DATABASE_PATH wins over DATA_DIR", async () => {
    const { folder, env } = world();
    const other = join(folder, "other.db");
    await runCli(["db", "migrate"], { env: { ...env, DATABASE_PATH: other } });
    expect(versionOf(other)).toBe(5);
    expect(versionOf(join(folder, "agentpod.db"))).toBe(2);
  });

  test("a database of a newer build is named as such", async () => {
    const { path, db } = world();
    await db("migrate");
    const open = openDatabase(path);
    open.run("INSERT INTO schema_migrations (id, name, checksum, applied_at) VALUES (6, '006_future', 'x', 'now')");
    closeDatabase(open);
    for (const command of [["status"], ["migrate"], ["rollback"]]) {
      const { exitCode, stderr } = await db(...command);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("newer than this build: it has migration 006_future");
    }
    // What is not understood can still be saved.
    expect((await db("backup")).stdout).toStartWith(`Backup: ${path}.backup-6-`);
  });
});

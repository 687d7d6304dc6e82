import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AS_ANOTHER_USER, giveAway } from "../support/another-user.ts";
import { drain, openLog, temporaryFolder, texts, update, write } from "./support/open-log.ts";

const MiB = 1024 * 1024;
const SEALED = join(import.meta.dir, "support/sealed-log.ts");
const isRoot = process.getuid?.() === 0;

/** Of a log that is closed. */
const FILES = [".gitignore", "gateway.lock", "gateway.sqlite"];

type Outcome = {
  reports: string[];
  last: string[];
  bytes: number;
  walBytes: number;
  modeOpen: number;
};

/** As a user whom modes hold. */
function runSealed(folder: string, ...args: string[]): Outcome {
  const { stdout, stderr } = Bun.spawnSync([...AS_ANOTHER_USER, process.execPath, SEALED, folder, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
  });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as Outcome;
}

describe("the folder of an open database", () => {
  test("takes no changes, and SQLite needs none: checkpoints of all kinds, a long write-ahead log, retention", () => {
    using folder = temporaryFolder();
    giveAway(folder.path);
    const found = runSealed(folder.path, "80");
    expect(found).toMatchObject({ reports: [], last: ["the last"], modeOpen: 0o500 });
    expect(found.walBytes).toBeGreaterThan(64 * MiB);
    expect(found.bytes).toBeLessThan(16 * MiB);
    expect(statSync(join(folder.path, "log")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder.path, "log")).toSorted()).toEqual(FILES);
  }, 30_000);

  const title = isRoot ? "nor a full disk" : "nor a full disk [skipped: only root can mount a small one]";
  test.if(isRoot)(
    title,
    () => {
      using folder = temporaryFolder();
      const disk = join(folder.path, "disk");
      mkdirSync(disk);
      const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk]);
      if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
      try {
        giveAway(folder.path);
        giveAway(disk);
        const found = runSealed(disk, "4", "full");
        expect(found).toMatchObject({ last: ["the last"], modeOpen: 0o500 });
        // A checkpoint fails where one was due while there was no room.
        const told = found.reports.filter((report: string) => report !== "the log's checkpoint failed");
        expect(new Set(told)).toEqual(
          new Set(["the log cannot be written; trying again", "the log can be written again"]),
        );
        expect(readdirSync(join(disk, "log")).toSorted()).toEqual(FILES);
      } finally {
        Bun.spawnSync(["umount", disk]);
      }
    },
    30_000,
  );
});

describe("a database that is removed all the same", () => {
  for (const synchronous of ["normal", "off"] as const) {
    test(`is told of once, and what is said is shown on (synchronous ${synchronous})`, async () => {
      using folder = temporaryFolder();
      const { log, reports } = openLog(folder.path, { synchronous });
      await write(log, update("a", "before"));
      expect(log.isRemoved()).toBe(false);
      chmodSync(join(folder.path, "log"), 0o700);
      rmSync(join(folder.path, "log"), { recursive: true });
      expect(log.isRemoved()).toBe(true);
      await write(log, update("a", "after"));
      expect(log.isRemoved()).toBe(true);
      expect(texts(drain(log.reader({ sessionId: "a", after: 0 })))).toEqual(["before", "after"]);
      expect(reports).toHaveLength(1);
      expect(reports[0]).toContain("was removed");
      log.close();
      expect(existsSync(join(folder.path, "log"))).toBe(false);
      using storage = openLog(folder.path, { synchronous });
      expect(storage.log.lastSeq()).toBe(0);
    });
  }
});

describe("a log in the place where earlier releases had it", () => {
  /** As one that was killed has left it there. */
  async function makeOld(folder: string): Promise<string[]> {
    const source = join(folder, "source");
    const script = `import { openLog, update, write } from ${JSON.stringify(join(import.meta.dir, "support/open-log.ts"))};
      const { log } = openLog(${JSON.stringify(source)}, { synchronous: "normal" });
      for (let index = 0; index < 30; index += 1) await write(log, update("a", String(index)));
      process.kill(process.pid, "SIGKILL");`;
    await Bun.spawn([process.execPath, "-e", script], { stderr: "inherit" }).exited;
    chmodSync(join(source, "log"), 0o700);
    for (const part of ["", "-wal", "-shm"]) {
      renameSync(join(source, `log/gateway.sqlite${part}`), join(folder, `gateway.sqlite${part}`));
    }
    rmSync(source, { recursive: true });
    expect(statSync(join(folder, "gateway.sqlite-wal")).size).toBeGreaterThan(30_000);
    return Array.from({ length: 30 }, (_, index) => String(index));
  }

  for (const moved of [[], ["-wal"]]) {
    test(`is taken over with its newest commits, after a crash that left ${moved.length} of it moved too`, async () => {
      using folder = temporaryFolder();
      const expected = await makeOld(folder.path);
      mkdirSync(join(folder.path, "log"));
      for (const part of moved) {
        renameSync(join(folder.path, `gateway.sqlite${part}`), join(folder.path, `log/gateway.sqlite${part}`));
      }
      for (let start = 0; start < 2; start += 1) {
        using storage = openLog(folder.path, { synchronous: "normal" });
        expect(texts(drain(storage.log.reader({ sessionId: "a", after: 0 })))).toEqual(expected);
        expect(storage.reports).toEqual([]);
      }
      expect(readdirSync(folder.path).toSorted()).toEqual([".gitignore", "log"]);
    });
  }

  test("is left alone while a gateway of such a release runs", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "gateway.sqlite"), "its log");
    const lock = new Database(join(folder.path, "gateway.lock"));
    lock.run("BEGIN EXCLUSIVE");
    expect(() => openLog(folder.path)).toThrow("in use by another gateway");
    expect(readFileSync(join(folder.path, "gateway.sqlite"), "utf8")).toBe("its log");
    lock.close();
  });
});

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { StorageError } from "../../src/storage/storage-error.ts";
import { drain, openLog, temporaryFolder, texts, update, write } from "./support/open-log.ts";

const failureOf = (open: () => unknown): StorageError => {
  try {
    open();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

describe("the database", () => {
  test("is readable to nobody else", async () => {
    using folder = temporaryFolder();
    const data = join(folder.path, "data/gateway");
    using storage = openLog(data, { synchronous: "normal" });
    await write(storage.log, update("a", "1"));
    const modes = (names: string[]) =>
      Object.fromEntries(names.map((name) => [name, (statSync(join(data, name)).mode & 0o777).toString(8)]));
    expect(modes([".", ...readdirSync(data)])).toEqual({ ".": "700", ".gitignore": "600", log: "500" });
    const files = [".gitignore", "gateway.lock", "gateway.sqlite", "gateway.sqlite-shm", "gateway.sqlite-wal"];
    expect(readdirSync(join(data, "log")).toSorted()).toEqual(files);
    expect(Object.values(modes(files.map((name) => `log/${name}`)))).toEqual(files.map(() => "600"));
  });

  test("and what lies beside it is nothing that git would take along", () => {
    using folder = temporaryFolder();
    const git = (...args: string[]) => Bun.spawnSync(["git", ...args], { cwd: folder.path }).stdout.toString();
    git("init", "--quiet");
    using storage = openLog(join(folder.path, ".agentpod/gateway"));
    expect(storage.log.lastSeq()).toBe(0);
    expect(git("status", "--porcelain", "--untracked-files=all")).toBe("");
    expect(git("status", "--porcelain", "--ignored")).toContain(".agentpod/");
  });

  test("of a running gateway is refused to a second one, in this process and in another", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    await write(storage.log, update("a", "1"));
    expect(failureOf(() => openLog(folder.path))).toMatchObject({ failure: "locked" });
    const script = `import { openLog } from ${JSON.stringify(join(import.meta.dir, "support/open-log.ts"))};
      openLog(${JSON.stringify(folder.path)});`;
    const other = Bun.spawnSync([process.execPath, "-e", script]);
    expect(other.stderr.toString()).toContain("in use by another gateway");
  });

  test("of a newer gateway is refused and stays as it is", async () => {
    using folder = temporaryFolder();
    {
      using storage = openLog(folder.path);
      await write(storage.log, update("a", "1"));
    }
    const file = join(folder.path, "log/gateway.sqlite");
    const db = new Database(file);
    db.run("PRAGMA user_version = 1000");
    db.close();
    const before = await Bun.file(file).bytes();
    expect(failureOf(() => openLog(folder.path))).toMatchObject({ failure: "newer" });
    expect(await Bun.file(file).bytes()).toEqual(before);
  });

  test("that cannot be made is said in one line", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "file"), "");
    const error = failureOf(() => openLog(join(folder.path, "file/data")));
    expect(error).toMatchObject({ failure: "cannot_open" });
    expect(error.message).not.toContain("\n");
  });
});

describe("a damaged database", () => {
  const damages: [string, (file: string) => void][] = [
    [
      "that is something else",
      (file) => writeFileSync(file, "not a database at all, but long enough to be looked at".repeat(99)),
    ],
    ["that is cut off", (file) => truncateSync(file, 8192 * 3 + 100)],
    [
      "with pages overwritten",
      (file) => {
        const descriptor = openSync(file, "r+");
        for (let page = 1; page < 20; page += 1) writeSync(descriptor, Buffer.alloc(6000, 0xa5), 0, 6000, page * 8192);
        closeSync(descriptor);
      },
    ],
  ];
  for (const [what, damage] of damages) {
    test(`${what} is set aside, and the numbers of the new one are higher than all before`, async () => {
      using folder = temporaryFolder();
      let lastSeq = 0;
      {
        using storage = openLog(folder.path);
        for (let index = 0; index < 50; index += 1) await write(storage.log, update("a", "x".repeat(5000)));
        lastSeq = storage.log.lastSeq();
      }
      damage(join(folder.path, "log/gateway.sqlite"));
      {
        using storage = openLog(folder.path);
        expect(storage.reports).toEqual(["the log is damaged: set aside, and a new one begun"]);
        expect(readdirSync(folder.path).filter((name) => /\.damaged-\d{8}T\d{9}Z$/.test(name))).toHaveLength(1);
        expect(storage.stores.sessions.all()).toEqual([]);
        const [seq = 0] = await write(storage.log, update("b", "new"));
        expect(seq).toBeGreaterThan(lastSeq);
      }
      using storage = openLog(folder.path);
      expect(storage.reports).toEqual([]);
      const [gap, ...events] = drain(storage.log.reader({ after: lastSeq }));
      expect(gap?.event).toBe("gap");
      expect(gap?.data["data"]).toMatchObject({ from: lastSeq + 1 });
      expect(texts(events)).toEqual(["new"]);
    });
  }

  const garbage = "not a database at all, but long enough to be looked at".repeat(99);
  const asides = (folder: string) =>
    readdirSync(folder)
      .filter((name) => name.includes(".damaged-"))
      .toSorted();

  test("is set aside with what SQLite keeps beside it, and it is said what to do with it", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "log/gateway.sqlite");
    mkdirSync(dirname(file));
    const parts = ["", "-shm", "-wal"];
    for (const part of parts) writeFileSync(file + part, garbage + part);
    using storage = openLog(folder.path);
    const [{ aside, advice } = { aside: "", advice: "" }] = storage.told as { aside: string; advice: string }[];
    expect(asides(folder.path)).toEqual(parts.map((part) => basename(aside) + part));
    for (const part of ["", "-wal"]) expect(readFileSync(aside + part, "utf8")).toBe(garbage + part);
    expect(advice).toContain(`sqlite3 ${aside} .recover`);
  });

  test("is kept with the one before it: older ones go, and the log names them", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "log/gateway.sqlite");
    const aside = join(folder.path, "gateway.sqlite.damaged-");
    mkdirSync(dirname(file));
    writeFileSync(`${aside}by-hand`, "");
    for (const day of [1, 2, 3, 4]) {
      for (const part of ["", "-wal"]) writeFileSync(`${aside}2020010${day}T000000000Z${part}`, "");
    }
    writeFileSync(file, garbage);
    using storage = openLog(folder.path);
    const kept = [4].flatMap((day) =>
      ["", "-wal"].map((part) => `gateway.sqlite.damaged-2020010${day}T000000000Z${part}`),
    );
    const left = asides(folder.path).filter((name) => !name.endsWith("by-hand"));
    expect(left).toEqual([...kept, basename(String(storage.told[0]?.["aside"]))]);
    expect(storage.told[0]?.["removed"]).toEqual([3, 2, 1].map((day) => `${aside}2020010${day}T000000000Z`));
    expect(asides(folder.path)).toContain("gateway.sqlite.damaged-by-hand");
  });

  test("that a crash has left half aside is completed, and no number is given twice", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "log/gateway.sqlite");
    const aside = join(folder.path, "gateway.sqlite.damaged-20260101T000000000Z");
    mkdirSync(dirname(file));
    writeFileSync(aside, garbage);
    writeFileSync(`${file}-wal`, "the newest commits");
    const before = Date.now();
    let first = 0;
    {
      using storage = openLog(folder.path);
      expect(storage.reports).toEqual([]);
      [first = 0] = await write(storage.log, update("a", "new"));
      expect(first).toBeGreaterThan(before);
      expect(readFileSync(`${aside}-wal`, "utf8")).toBe("the newest commits");
    }
    using storage = openLog(folder.path);
    expect(storage.log.lastSeq()).toBe(first);
    expect(drain(storage.log.reader({ after: 5 }))[0]?.event).toBe("gap");
  });
});

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../src/lock.mjs";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentpod-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("one at a time does the work, also across processes", async () => {
  const script = `
    import { withLock } from ${JSON.stringify(join(import.meta.dir, "../src/lock.mjs"))};
    import { readFile, writeFile } from "node:fs/promises";
    for (let turn = 0; turn < 5; turn += 1) {
      await withLock("lock", async () => {
        const count = Number(await readFile("count", "utf8"));
        await Bun.sleep(2);
        await writeFile("count", String(count + 1));
      });
    }`;
  await writeFile(join(folder, "count"), "0");
  const children = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, "-e", script], { cwd: folder, stdio: ["ignore", "ignore", "ignore"] }),
  );
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
  expect(await readFile(join(folder, "count"), "utf8")).toBe("20");
  expect(await readdir(folder)).toEqual(["count"]);
});

test("is given back when the work fails", async () => {
  const lock = join(folder, "lock");
  const failing = withLock(lock, () => Promise.reject(new Error("disk full")));
  await expect(failing).rejects.toThrow("disk full");
  expect(await withLock(lock, async () => "next")).toBe("next");
});

test("a holder elsewhere that no longer touches its lock is replaced", async () => {
  const lock = join(folder, "lock");
  await mkdir(lock);
  await writeFile(join(lock, "owner"), "another-machine\n1\n");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  expect(await withLock(lock, async () => "mine")).toBe("mine");
});

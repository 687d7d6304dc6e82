import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectUntouched, openWorld, SECRET, WAYS } from "./support/world.ts";

/** Ends, once disposed of, before the world it disturbs is cleared away. */
async function swap(path: string, target: string, kind: "file" | "folder") {
  const script = join(import.meta.dir, "support/swapper.ts");
  const child = Bun.spawn([process.execPath, script, path, target, kind], { stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      // It must not have ended by itself, or nothing was raced against.
      expect(child.exitCode).toBeNull();
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

const RACE_MS = 2000;
const RACE_MS_MAX = 25_000;

/** Says whether to go on: for a while, and until both outcomes were seen, or nothing was raced for. */
function race(sawBoth: () => boolean): () => boolean {
  const begun = Date.now();
  return () => Date.now() - begun < (sawBoth() ? RACE_MS : RACE_MS_MAX);
}

describe.each(WAYS)("while another process swaps things for links, by %s", (_, libc) => {
  test("nothing outside is read, written, listed, moved or removed through a folder", async () => {
    await using world = await openWorld({ libc });
    const folder = join(world.workspace, "folder");
    await using swapper = await swap(folder, world.outside, "folder");
    expect(swapper.pid).toBeGreaterThan(0);
    const seen = new Map<string, number>();
    const goOn = race(() => seen.has("2 done") && seen.has("2 refused"));
    for (let turn = 0; goOn(); turn += 1) {
      const read = await world.call("/fs/folder/secret.txt");
      const text = await read.text();
      expect(text).not.toContain(SECRET);
      const answers = await Promise.all([
        world.put("/fs/folder/new/er?parents=true", "x"),
        world.put(`/fs/folder/n${turn}`, "x"),
        world.call("/fs/folder/"),
        world.call(`/fs/folder/secret.txt?move_to=inner/s${turn}`, { method: "POST" }),
        world.call(`/fs/inner/s${turn}?move_to=folder/secret.txt`, { method: "POST" }),
        world.call("/fs/folder/new?recursive=true", { method: "DELETE" }),
        world.call(`/fs/folder/m${turn}?type=directory`, { method: "PUT" }),
      ]);
      for (const [index, answer] of [read, ...answers].entries()) {
        expect(answer.status).toBeLessThan(500);
        const key = `${index} ${answer.status < 300 ? "done" : "refused"}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    }
    expect(seen.get("2 done")).toBeGreaterThan(0);
    expect(seen.get("2 refused")).toBeGreaterThan(0);
    await expectUntouched(world);
  }, 30_000);

  test("nothing outside is read or written through a file", async () => {
    await using world = await openWorld({ libc });
    const file = join(world.workspace, "file");
    await using swapper = await swap(file, join(world.outside, "secret.txt"), "file");
    expect(swapper.pid).toBeGreaterThan(0);
    const seen = new Set<number>();
    const goOn = race(() => seen.has(200) && seen.has(403));
    while (goOn()) {
      const read = await world.call("/fs/file");
      expect(await read.text()).not.toContain(SECRET);
      seen.add(read.status);
      await world.put("/fs/file", "written");
      await world.files.writeTextFile(world.workspace, file, "written too").catch(() => undefined);
    }
    expect([...seen]).toEqual(expect.arrayContaining([200, 403]));
    await expectUntouched(world);
  }, 30_000);

  test("a folder is removed without what a link in it leads to", async () => {
    await using world = await openWorld({ libc });
    const inside = join(world.workspace, "tree/inside");
    await using swapper = await swap(inside, world.outside, "folder");
    expect(swapper.pid).toBeGreaterThan(0);
    let removed = 0;
    const goOn = race(() => removed > 0);
    while (goOn()) {
      const answer = await world.call("/fs/tree?recursive=true", { method: "DELETE" });
      if (answer.ok) removed += 1;
      expect(answer.status).toBeLessThan(500);
      await expectUntouched(world);
    }
    expect(removed).toBeGreaterThan(0);
  }, 30_000);
});

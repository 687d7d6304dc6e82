import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../support/gateway.ts";
import { openWorld, WAYS } from "./support/world.ts";

const openFiles = () => readdirSync("/proc/self/fd").length;

test.each(WAYS)(
  "no file stays open, whatever was refused or broken off, by %s",
  async (_, libc) => {
    await using world = await openWorld({ libc });
    await world.link("../outside", "out");
    await world.link("gone", "dangling");
    await world.link("inner/hello.txt", "in");
    await mkdir(join(world.workspace, "folder/inner"), { recursive: true });
    await writeFile(join(world.workspace, "large"), new Uint8Array(8 * 1024 * 1024));
    const paths = [
      "",
      "inner",
      "inner/hello.txt",
      "in",
      "out",
      "out/secret.txt",
      "dangling",
      "gone/x",
      "large",
      ".agentpod/x",
      "large/x",
    ];

    async function round(): Promise<void> {
      for (const path of paths) {
        for (const headers of [{}, { "if-none-match": "*" }, { "if-match": '"x"' }, { range: "bytes=99999999-" }]) {
          for (const method of ["GET", "HEAD"])
            await (await world.call(`/fs/${path}`, { method, headers })).arrayBuffer();
        }
        const none = { "if-match": '"never"' };
        await world.put(`/fs/${path}`, "x", none);
        await world.put(`/fs/${path}?type=directory`, "", none);
        await world.call(`/fs/${path}`, { method: "DELETE", headers: none });
        await world.call(`/fs/${path}?move_to=folder`, { method: "POST" });
        await world.call(`/fs/folder?move_to=${path}`, { method: "POST" });
        await world.files.readTextFile(world.workspace, path).catch(() => undefined);
      }
      await world.call("/fs/folder", { method: "DELETE" });
      await world.put("/fs/folder/inner/new", "x");
      const stopped = new AbortController();
      const answer = await world.call("/fs/large", { signal: stopped.signal });
      await answer.body?.getReader().read();
      stopped.abort();
    }

    await round();
    const before = openFiles();
    for (let turn = 0; turn < 5; turn += 1) await round();
    // Connections that are kept for the next request may differ by some.
    await until(() => openFiles() <= before + 3);
    expect(openFiles()).toBeLessThanOrEqual(before + 3);
  },
  30_000,
);

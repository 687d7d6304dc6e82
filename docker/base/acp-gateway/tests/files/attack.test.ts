import { describe, expect, test } from "bun:test";
import { link, readdir, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expectUntouched, openWorld, pageOf, refusal, SECRET, WAYS } from "./support/world.ts";

const METHODS = ["GET", "PUT", "DELETE", "POST"] as const;

const PATHS = [
  "../outside/secret.txt",
  "../../../../../../etc/passwd",
  "%2e%2e/outside/secret.txt",
  "%2e%2e%2foutside%2fsecret.txt",
  "inner/..%2f..%2foutside/secret.txt",
  "inner/%2e%2e/%2e%2e/outside/secret.txt",
  "inner%2f..%2f..%2foutside",
  "/etc/passwd",
  "//etc/passwd",
  "%2fetc%2fpasswd",
  "inner//hello.txt",
  "a%00b",
  "a%0ab",
  "a%1bb",
  "a%7fb",
  "a%c2%85b",
  "%ff",
  "%c0%ae%c0%ae/outside",
  "%ed%a0%80",
  "%zz",
  ".agentpod",
  ".agentpod/gateway/gateway.sqlite",
  ".AGENTPOD/gateway/gateway.sqlite",
  "%2eagentpod/gateway/gateway.sqlite",
  "",
];

/** Devices can be made by root alone. */
const SPECIAL = process.getuid?.() === 0 ? ["fifo", "socket", "device"] : ["fifo", "socket"];

describe.each(WAYS)("by %s", (_, libc) => {
  test.each(PATHS)("the path %p is refused by every method", async (path) => {
    await using world = await openWorld({ libc });
    for (const method of METHODS) {
      if (path === "" && method === "GET") continue;
      const { status, text } = await world.raw(method, `/v1/fs/${path}?move_to=moved&recursive=true`, {}, "written");
      expect([400, 403, 404]).toContain(status);
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain("root:");
    }
    expect((await readdir(world.workspace)).toSorted()).toEqual([".agentpod", "inner"]);
    await expectUntouched(world);
  });

  test.each(["../outside/moved", "/etc/moved", ".agentpod/moved", ".agentpod", "..", "", "a//b", "a/../../x", "a\nb"])(
    "nothing is moved to %p",
    async (target) => {
      await using world = await openWorld({ libc });
      const query = new URLSearchParams({ move_to: target, parents: "true", overwrite: "true" });
      const { status } = await world.raw("POST", `/v1/fs/inner/hello.txt?${query.toString()}`);
      expect([400, 403]).toContain(status);
      expect(await readdir(join(world.workspace, "inner"))).toEqual(["hello.txt"]);
      await expectUntouched(world);
    },
  );

  test("links that lead out are followed by nothing", async () => {
    await using world = await openWorld({ libc });
    await world.link("../outside/secret.txt", "file");
    await world.link(join(world.outside, "secret.txt"), "absolute");
    await world.link("../outside", "folder");
    await world.link("/", "root");
    await world.link("/proc/self/root", "magic");
    await world.link("/proc/self/cwd", "inner/cwd");
    await world.link("loop", "loop");
    await world.link(".agentpod", "pod");
    await symlink("file", join(world.workspace, "chain"));
    const paths = [
      "file",
      "absolute",
      "folder/secret.txt",
      "root/etc/passwd",
      "magic/etc/passwd",
      "inner/cwd/src",
      "loop",
      "chain",
    ];
    for (const path of [...paths, "pod/gateway/gateway.sqlite", "folder/", "root/"]) {
      const read = await world.call(`/fs/${path}`);
      expect([path, ...(await refusal(read))]).toEqual([path, 403, "path_not_allowed"]);
    }
    for (const path of [
      ...paths,
      "folder/new",
      "folder/new/deep",
      "root/tmp/new",
      "pod/new",
      "pod/gateway/gateway.sqlite",
    ]) {
      const written = await world.put(`/fs/${path}?parents=true`, "written");
      expect([path, [403, 409].includes(written.status)]).toEqual([path, true]);
    }
    for (const path of ["folder/secret.txt", "root/etc/passwd", "pod/gateway/gateway.sqlite", "pod/gateway"]) {
      const removed = await world.call(`/fs/${path}?recursive=true`, { method: "DELETE" });
      expect([path, ...(await refusal(removed))]).toEqual([path, 403, "path_not_allowed"]);
      const moved = await world.call(`/fs/${path}?move_to=mine`, { method: "POST" });
      expect([path, ...(await refusal(moved))]).toEqual([path, 403, "path_not_allowed"]);
      const moveTo = await world.call(`/fs/inner/hello.txt?move_to=${path}2`, { method: "POST" });
      expect([path, ...(await refusal(moveTo))]).toEqual([path, 403, "path_not_allowed"]);
    }
    await expectUntouched(world);
  });

  test("a link is listed, moved and removed itself", async () => {
    await using world = await openWorld({ libc });
    await world.link("../outside", "folder");
    const page = await pageOf(await world.call("/fs/"));
    expect(page.entries.map(({ name, type, etag }) => [name, type, etag === null])).toEqual([
      ["folder", "link", true],
      ["inner", "folder", false],
    ]);
    expect((await world.call("/fs/folder?move_to=inner/folder", { method: "POST" })).status).toBe(201);
    expect((await world.call("/fs/inner?recursive=true", { method: "DELETE" })).status).toBe(204);
    expect(await readdir(world.workspace)).toEqual([".agentpod"]);
    await expectUntouched(world);
  });

  test.each(SPECIAL)("a %s is refused at once by what reads or writes, and can be removed", async (kind) => {
    await using world = await openWorld({ libc });
    const path = join(world.workspace, "special");
    await using special = await makeSpecial(kind, path);
    expect(special.path).toBe(path);
    for (const [method, query] of [
      ["GET", ""],
      ["HEAD", ""],
      ["PUT", ""],
      ["POST", "?move_to=x"],
    ] as const) {
      const body = method === "PUT" ? { body: "x" } : {};
      const answer = await world.call(`/fs/special${query}`, { method, ...body, signal: AbortSignal.timeout(2000) });
      expect([method, answer.status]).toEqual([method, 403]);
    }
    await expect(world.files.readTextFile(world.workspace, path)).rejects.toMatchObject({ code: "special_file" });
    const page = await pageOf(await world.call("/fs/"));
    expect(page.entries[1]).toMatchObject({ name: "special", type: "other", size: null, etag: null });
    expect((await world.call("/fs/special", { method: "DELETE" })).status).toBe(204);
  });

  test("names and paths that are too long are refused", async () => {
    await using world = await openWorld({ libc });
    const paths = [
      "x".repeat(256),
      "ä".repeat(128),
      "x/".repeat(300),
      `${"x".repeat(250)}/`.repeat(20),
      "x".repeat(14_000),
    ];
    for (const path of paths) {
      for (const method of METHODS) {
        const { status, text } = await world.raw(
          method,
          `/v1/fs/${path}?move_to=y&parents=true&recursive=true`,
          {},
          "x",
        );
        expect([400, 414, 431]).toContain(status);
        if (status === 400) expect(text).toContain('"code":"invalid_request"');
      }
    }
    expect((await world.put(`/fs/${"x".repeat(255)}`, "1")).status).toBe(201);
    expect((await world.put(`/fs/${"日".repeat(85)}`, "1")).status).toBe(201);
  });

  test("a session's folder that became a link leads nowhere else", async () => {
    await using world = await openWorld({ libc });
    await world.call("/fs/inner?move_to=old", { method: "POST" });
    await world.link("../outside", "inner");
    expect(await refusal(await world.call("/sessions/ses_1/fs/secret.txt"))).toEqual([403, "path_not_allowed"]);
    await world.put("/sessions/ses_1/fs/new", "x");
    await expectUntouched(world);
  });
});

test("a backslash is a character of a name like any other", async () => {
  await using world = await openWorld();
  expect((await world.raw("PUT", "/v1/fs/..%5coutside", {}, "x")).status).toBe(201);
  expect((await readdir(world.workspace)).toSorted()).toEqual(["..\\outside", ".agentpod", "inner"]);
});

test("a hard link that an agent made shows what it is, and a write to it changes only the name inside", async () => {
  await using world = await openWorld();
  await link(join(world.outside, "secret.txt"), join(world.workspace, "hard"));
  expect((await world.put("/fs/hard", "written")).status).toBe(200);
  await expectUntouched(world);
});

async function makeSpecial(kind: string, path: string) {
  if (kind === "socket") {
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    return { path, [Symbol.asyncDispose]: async () => void server.close() };
  }
  const args = kind === "fifo" ? ["mkfifo", path] : ["mknod", path, "c", "1", "5"];
  expect(Bun.spawnSync(args).exitCode).toBe(0);
  return { path, [Symbol.asyncDispose]: () => Promise.resolve() };
}

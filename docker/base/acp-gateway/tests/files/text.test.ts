import { expect, test } from "bun:test";
import { lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openWorld } from "./support/world.ts";

test.each([
  [{}, "1\n2\n3\n4"],
  [{ line: 2 }, "2\n3\n4"],
  [{ line: 2, limit: 2 }, "2\n3\n"],
  [{ limit: 1 }, "1\n"],
  [{ line: 4, limit: 9 }, "4"],
  [{ line: 9 }, ""],
  [{ limit: 0 }, ""],
])("reads %p of a text", async (part, text) => {
  await using world = await openWorld();
  await writeFile(join(world.workspace, "a"), "1\n2\n3\n4");
  expect(await world.files.readTextFile(world.workspace, join(world.workspace, "a"), part)).toBe(text);
});

test("writes a text with the folders that are missing, in any of the session's folders", async () => {
  await using world = await openWorld();
  const [inner, other] = [join(world.workspace, "inner"), join(world.workspace, "other")];
  await mkdir(other);
  await world.files.writeTextFile([inner, other], join(inner, "x/y/z.txt"), "ä\n");
  await world.files.writeTextFile([inner, other], join(other, "o.txt"), "o");
  await world.files.writeTextFile([inner, other], "relative.txt", "r");
  expect(await readFile(join(inner, "x/y/z.txt"), "utf8")).toBe("ä\n");
  expect(await readFile(join(other, "o.txt"), "utf8")).toBe("o");
  expect(await world.files.readTextFile([inner, other], join(inner, "relative.txt"))).toBe("r");
  expect(await world.files.readTextFile([inner, other], join(inner, "gone/../x/./y/z.txt"))).toBe("ä\n");
});

test("writes through a link to a file inside, which stays a link", async () => {
  await using world = await openWorld();
  await writeFile(join(world.workspace, "AGENTS.md"), "old");
  await world.link("AGENTS.md", "CLAUDE.md");
  await world.files.writeTextFile(world.workspace, join(world.workspace, "CLAUDE.md"), "new");
  expect(await readFile(join(world.workspace, "AGENTS.md"), "utf8")).toBe("new");
  expect((await lstat(join(world.workspace, "CLAUDE.md"))).isSymbolicLink()).toBeTrue();
});

test.each([
  ["/etc/passwd", "path_not_allowed"],
  ["../outside/secret.txt", "path_not_allowed"],
  ["inner/../../outside/secret.txt", "path_not_allowed"],
  [".agentpod/gateway/gateway.sqlite", "path_not_allowed"],
  [".AgentPod/x", "path_not_allowed"],
  ["gone", "file_not_found"],
  ["inner/hello.txt/x", "file_not_found"],
  ["inner", "file_conflict"],
  ["binary", "invalid_request"],
  ["large", "body_too_large"],
  ["a\0b", "invalid_request"],
  ["x".repeat(256), "invalid_request"],
  [`${"x/".repeat(300)}a`, "invalid_request"],
])("does not read %p: %s", async (path, code) => {
  await using world = await openWorld();
  await writeFile(join(world.workspace, "binary"), Buffer.from([0xff, 0xfe]));
  await writeFile(join(world.workspace, "large"), Buffer.alloc(1024 * 1024 + 1));
  if (path.startsWith(".AgentPod")) await mkdir(join(world.workspace, ".AgentPod"));
  await expect(world.files.readTextFile(world.workspace, path)).rejects.toMatchObject({ code });
});

test.each([
  ["/etc/new", "path_not_allowed"],
  ["../outside/new", "path_not_allowed"],
  [".agentpod/new", "path_not_allowed"],
  [".agentpod", "path_not_allowed"],
  ["inner/hello.txt/x", "file_conflict"],
  ["inner", "file_conflict"],
  ["", "path_not_allowed"],
])("does not write %p: %s", async (path, code) => {
  await using world = await openWorld();
  await expect(world.files.writeTextFile(world.workspace, path, "x")).rejects.toMatchObject({ code });
});

test("serves no folder that lies in none of the roots", async () => {
  await using world = await openWorld();
  const refused = world.files.readTextFile(world.outside, join(world.outside, "secret.txt"));
  await expect(refused).rejects.toMatchObject({ code: "path_not_allowed" });
  expect(() => world.files.openFolder(world.outside)).toThrow("none of the allowed folders");
  using folder = world.files.openFolder("inner");
  expect(folder.path).toBe(join(world.workspace, "inner"));
});

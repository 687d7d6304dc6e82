import { expect, test } from "bun:test";
import { mkdir, readdir, readFile, stat, truncate, writeFile, chmod } from "node:fs/promises";
import { join } from "node:path";
import { changeOf, openWorld, pageOf, refusal } from "./support/world.ts";

const LIMIT = 1024 * 1024;

test("a file that was written is read back with the tag it was given", async () => {
  await using world = await openWorld();
  const made = await world.put("/fs/a.txt", "one");
  expect(made.status).toBe(201);
  expect(made.headers.get("location")).toBe("/v1/fs/a.txt");
  const { entry } = await changeOf(made);
  expect(entry).toMatchObject({ name: "a.txt", type: "file", size: 3 });
  expect(made.headers.get("etag")).toBe(entry.etag);

  const read = await world.call("/fs/a.txt");
  expect(await read.text()).toBe("one");
  expect(read.headers.get("etag")).toBe(entry.etag);
  expect(read.headers.get("content-disposition")).toStartWith("attachment");
  expect(read.headers.get("x-content-type-options")).toBe("nosniff");

  const again = await world.put("/fs/a.txt", "two");
  expect(again.status).toBe(200);
  expect(again.headers.get("etag")).not.toBe(entry.etag);
  expect(await readdir(world.workspace)).toEqual(expect.not.arrayContaining([expect.stringContaining("tmp")]));
});

test("HEAD tells what GET would, without the body", async () => {
  await using world = await openWorld();
  await world.put("/fs/a.txt", "12345");
  const head = await world.call("/fs/a.txt", { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers.get("content-length")).toBe("5");
  expect(head.headers.get("accept-ranges")).toBe("bytes");
  expect(await head.text()).toBe("");
});

test("a file keeps its permissions when it is replaced, and gets the usual ones when it is new", async () => {
  await using world = await openWorld();
  await world.put("/fs/run.sh", "a");
  expect((await stat(join(world.workspace, "run.sh"))).mode & 0o777).toBe(0o666 & ~process.umask());
  await chmod(join(world.workspace, "run.sh"), 0o754);
  await world.put("/fs/run.sh", "b");
  expect((await stat(join(world.workspace, "run.sh"))).mode & 0o777).toBe(0o754);
});

test.each([
  ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
  ["bytes=7-", 206, "789", "bytes 7-9/10"],
  ["bytes=-2", 206, "89", "bytes 8-9/10"],
  ["bytes=5-100", 206, "56789", "bytes 5-9/10"],
  ["bytes=-100", 206, "0123456789", "bytes 0-9/10"],
  ["bytes=0-1,4-5", 200, "0123456789", null],
  ["bytes=5-2", 200, "0123456789", null],
  ["lines=1-2", 200, "0123456789", null],
])("Range %p is answered with %p", async (range, status, text, contentRange) => {
  await using world = await openWorld();
  await world.put("/fs/a", "0123456789");
  const answer = await world.call("/fs/a", { headers: { range } });
  expect([answer.status, await answer.text(), answer.headers.get("content-range")]).toEqual([
    status,
    text,
    contentRange,
  ]);
});

test("a range behind the end is refused with the size, one of another state gives the whole", async () => {
  await using world = await openWorld();
  const { headers } = await world.put("/fs/a", "0123456789");
  const behind = await world.call("/fs/a", { headers: { range: "bytes=10-" } });
  expect(behind.headers.get("content-range")).toBe("bytes */10");
  expect(await refusal(behind)).toEqual([416, "range_not_satisfiable"]);
  const range = "bytes=0-1";
  const same = await world.call("/fs/a", { headers: { range, "if-range": headers.get("etag") ?? "" } });
  expect(same.status).toBe(206);
  const other = await world.call("/fs/a", { headers: { range, "if-range": '"other"' } });
  expect([other.status, await other.text()]).toEqual([200, "0123456789"]);
});

test("a large file is streamed, whole and in parts", async () => {
  await using world = await openWorld();
  const content = Buffer.alloc(5 * LIMIT, "0123456789abcdef-");
  await writeFile(join(world.workspace, "large"), content);
  const whole = await world.call("/fs/large");
  expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBeTrue();
  const part = await world.call("/fs/large", { headers: { range: "bytes=100-3000000" } });
  expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(100, 3_000_001))).toBeTrue();
});

test("a file that becomes shorter while it is sent is not taken for a whole one", async () => {
  await using world = await openWorld();
  const path = join(world.workspace, "shrinks");
  await writeFile(path, Buffer.alloc(40 * LIMIT));
  const answer = await world.call("/fs/shrinks");
  await truncate(path, 10);
  await expect(answer.arrayBuffer()).rejects.toThrow();
});

test("reading is conditional: what is known is not sent again", async () => {
  await using world = await openWorld();
  const etag = (await world.put("/fs/a", "1")).headers.get("etag") ?? "";
  const known = await world.call("/fs/a", { headers: { "if-none-match": `"x", W/${etag}` } });
  expect([known.status, known.headers.get("etag"), await known.text()]).toEqual([304, etag, ""]);
  const dated = await world.call("/fs/a", {
    headers: { "if-modified-since": known.headers.get("last-modified") ?? "" },
  });
  expect(dated.status).toBe(304);
  const failed = await world.call("/fs/a", { headers: { "if-match": '"x"' } });
  expect(await refusal(failed)).toEqual([412, "precondition_failed"]);
  await world.put("/fs/a", "2");
  expect((await world.call("/fs/a", { headers: { "if-none-match": etag } })).status).toBe(200);
});

test("changes are conditional: nothing that was changed meanwhile is overwritten, moved or removed", async () => {
  await using world = await openWorld();
  expect(await refusal(await world.put("/fs/a", "0", { "if-match": "*" }))).toEqual([412, "precondition_failed"]);
  const old = (await world.put("/fs/a", "1", { "if-none-match": "*" })).headers.get("etag") ?? "";
  expect(await refusal(await world.put("/fs/a", "2", { "if-none-match": "*" }))).toEqual([412, "precondition_failed"]);
  const now = (await world.put("/fs/a", "2", { "if-match": old })).headers.get("etag") ?? "";
  const headers = { "if-match": old };
  for (const answer of [
    await world.put("/fs/a", "3", headers),
    await world.call("/fs/a", { method: "DELETE", headers }),
    await world.call("/fs/a?move_to=b", { method: "POST", headers }),
  ]) {
    expect(await refusal(answer)).toEqual([412, "precondition_failed"]);
  }
  expect(await refusal(await world.put("/fs/a", "3", { "if-match": `W/${now}` }))).toEqual([
    412,
    "precondition_failed",
  ]);
  expect(await refusal(await world.put("/fs/a", "3", { "if-match": "bare" }))).toEqual([400, "invalid_request"]);
  expect(await (await world.call("/fs/a")).text()).toBe("2");
  expect((await world.call("/fs/a", { method: "DELETE", headers: { "if-match": `"x", ${now}` } })).status).toBe(204);
  expect(await refusal(await world.call("/fs/a"))).toEqual([404, "file_not_found"]);
});

test("of many that create one file at once, one does", async () => {
  await using world = await openWorld();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => world.put("/fs/once", `writer ${index}`, { "if-none-match": "*" })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(11);
});

test("folders are made, with those above only when asked, and listed in pages", async () => {
  await using world = await openWorld();
  expect(await refusal(await world.call("/fs/x/y?type=directory", { method: "PUT" }))).toEqual([404, "file_not_found"]);
  const made = await world.call("/fs/x/y/?type=directory&parents=true", { method: "PUT" });
  expect([made.status, (await changeOf(made)).entry.type]).toEqual([201, "folder"]);
  expect((await world.call("/fs/x/y?type=directory", { method: "PUT" })).status).toBe(200);
  expect((await world.put("/fs/x/deep/er/file", "1", {})).status).toBe(404);
  expect((await world.put("/fs/x/deep/er/file?parents=true", "1", {})).status).toBe(201);
  expect(await refusal(await world.call("/fs/x/deep/er/file?type=directory", { method: "PUT" }))).toEqual([
    409,
    "file_conflict",
  ]);
  expect(await refusal(await world.put("/fs/x/deep", "1"))).toEqual([409, "file_conflict"]);
  expect(await refusal(await world.put("/fs/x/file/", "1"))).toEqual([400, "invalid_request"]);
  const part = await world.put("/fs/x/file", "1", { "content-range": "bytes 0-0/2" });
  expect(await refusal(part)).toEqual([400, "invalid_request"]);

  const names = ["B", "a", "b b", "z%41", "ä", "日本", "%2e%2e", "C:\\x"];
  for (const name of names) await writeFile(join(world.workspace, "x/y", name), name);
  const found: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page = await pageOf(await world.call(`/fs/x/y?limit=3${cursor && `&cursor=${cursor}`}`));
    expect(page.entries.length).toBeLessThanOrEqual(3);
    for (const { name, etag } of page.entries) {
      found.push(name);
      const file = await world.call(`/fs/x/y/${encodeURIComponent(name)}`);
      expect([await file.text(), file.headers.get("etag")]).toEqual([name, etag]);
    }
    // What comes before the cursor meanwhile changes nothing of the pages behind it.
    await writeFile(join(world.workspace, "x/y/  first"), "late");
    cursor = page.nextCursor;
  }
  expect(found).toEqual(names.toSorted());
});

test("files and folders are moved in one step, and over a file only when asked", async () => {
  await using world = await openWorld();
  await world.put("/fs/a", "a");
  await world.put("/fs/b", "b");
  const move = (from: string, query: string) => world.call(`/fs/${from}?${query}`, { method: "POST" });
  expect(await refusal(await move("a", "move_to=b"))).toEqual([409, "file_conflict"]);
  expect((await move("a", "move_to=b&overwrite=true")).status).toBe(200);
  const moved = await move("b", "move_to=new/folder/c%20d&parents=true");
  expect(moved.headers.get("location")).toBe("/v1/fs/new/folder/c%20d");
  expect((await changeOf(moved)).path).toBe("new/folder/c d");
  expect(await readFile(join(world.workspace, "new/folder/c d"), "utf8")).toBe("a");
  expect(await refusal(await move("new", "move_to=new/folder/inside"))).toEqual([409, "file_conflict"]);
  expect((await move("new", "move_to=other")).status).toBe(201);
  expect(await refusal(await move("inner", "move_to=other&overwrite=true"))).toEqual([409, "file_conflict"]);
  expect(await refusal(await move("gone", "move_to=x"))).toEqual([404, "file_not_found"]);
});

test("a folder is removed with what is in it only when asked", async () => {
  await using world = await openWorld();
  await mkdir(join(world.workspace, "full/a/b"), { recursive: true });
  for (let index = 0; index < 600; index += 1) await writeFile(join(world.workspace, `full/a/${index}`), "");
  await writeFile(Buffer.concat([Buffer.from(`${world.workspace}/full/`), Buffer.from([0xff, 0xfe])]), "");
  expect(await refusal(await world.call("/fs/full", { method: "DELETE" }))).toEqual([409, "file_conflict"]);
  expect((await world.call("/fs/full?recursive=true", { method: "DELETE" })).status).toBe(204);
  expect((await readdir(world.workspace)).toSorted()).toEqual([".agentpod", "inner"]);
});

test("names that no URL can hold are counted, and those of unfinished files are not shown", async () => {
  await using world = await openWorld();
  const inner = join(world.workspace, "inner");
  await writeFile(Buffer.concat([Buffer.from(`${inner}/`), Buffer.from([0xff])]), "");
  await writeFile(join(inner, "a\nb"), "");
  await writeFile(join(inner, `.agentpod-tmp-${"0".repeat(32)}`), "");
  const page = await pageOf(await world.call("/sessions/ses_1/fs/"));
  expect([page.entries.map(({ name }) => name), page.omitted]).toEqual([["hello.txt"], 3]);
});

test("too much is refused, whether its length was announced or not, and leaves nothing behind", async () => {
  await using world = await openWorld();
  const large = "x".repeat(LIMIT + 1);
  expect(await refusal(await world.put("/fs/large", large))).toEqual([413, "body_too_large"]);
  const chunked = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent <= LIMIT; sent += 65_536) controller.enqueue(new Uint8Array(65_536));
      controller.close();
    },
  });
  expect(await refusal(await world.call("/fs/large", { method: "PUT", body: chunked }))).toEqual([
    413,
    "body_too_large",
  ]);
  expect((await world.put("/fs/full", "x".repeat(LIMIT))).status).toBe(201);
  expect((await readdir(world.workspace)).toSorted()).toEqual([".agentpod", "full", "inner"]);
});

test("an upload that breaks off changes nothing", async () => {
  await using world = await openWorld();
  await world.put("/fs/a", "old");
  const aborted = new AbortController();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1000)),
    pull: () => new Promise<void>(() => undefined),
  });
  const upload = world.call("/fs/a", { method: "PUT", body, signal: aborted.signal }).catch(() => "aborted");
  const names = async () => (await readdir(world.workspace)).length;
  while ((await names()) < 4) await Bun.sleep(5);
  aborted.abort();
  expect(await upload).toBe("aborted");
  while ((await names()) > 3) await Bun.sleep(5);
  expect(await (await world.call("/fs/a")).text()).toBe("old");
});

test("who reads while a file is replaced all the time sees one content or another, never a mixture", async () => {
  await using world = await openWorld();
  const versions = ["a", "b"].map((letter) => letter.repeat(300_000));
  await world.put("/fs/a", versions[0] ?? "");
  const writing = { goesOn: true };
  const writer = (async () => {
    for (let turn = 0; turn < 40; turn += 1) await world.put("/fs/a", versions[turn % 2] ?? "");
    writing.goesOn = false;
  })();
  const tags = new Map<string, string>();
  let reads = 0;
  while (writing.goesOn) {
    const answer = await world.call("/fs/a");
    const text = await answer.text();
    expect(versions.includes(text)).toBeTrue();
    const tag = answer.headers.get("etag") ?? "";
    expect(tags.get(tag) ?? text).toBe(text);
    tags.set(tag, text);
    reads += 1;
  }
  await writer;
  expect(reads).toBeGreaterThan(5);
});

test("a change within one tick of the clock changes the tag", async () => {
  await using world = await openWorld();
  const path = join(world.workspace, "fast");
  const tags = new Set<string>();
  for (let turn = 0; turn < 30; turn += 1) {
    await writeFile(path, `same size ${turn % 10}`);
    tags.add((await world.call("/fs/fast", { method: "HEAD" })).headers.get("etag") ?? "");
  }
  expect(tags.size).toBe(30);
});

test("a session's files are those of its folder", async () => {
  await using world = await openWorld();
  expect(await (await world.call("/sessions/ses_1/fs/hello.txt")).text()).toBe("hello");
  expect((await world.put("/sessions/ses_1/fs/new", "1")).headers.get("location")).toBe("/v1/sessions/ses_1/fs/new");
  expect(await readFile(join(world.workspace, "inner/new"), "utf8")).toBe("1");
  expect(await refusal(await world.call("/sessions/ses_2/fs/hello.txt"))).toEqual([404, "session_not_found"]);
});

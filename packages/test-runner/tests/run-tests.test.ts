import { afterEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runTests } from "../src/run-tests.ts";

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function checkout(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "agentpod-runner-"));
  roots.push(root);
  const all = { "package.json": JSON.stringify({ workspaces: ["apps/*", "bench"] }), ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

async function run(files: Record<string, string>, options: { filters?: string[]; forbidSkips?: boolean } = {}) {
  const root = await checkout(files);
  const { ok, lines } = await runTests({ root, filters: [], forbidSkips: false, output: "ignore", ...options });
  return { ok, text: lines.join("\n"), last: lines.at(-1) };
}

const head = 'import { describe, expect, test } from "bun:test";\n';
const good = `${head}test("adds", () => expect(1 + 1).toBe(2));\n`;
const skipping = `${head}describe.skip("pulls an image [skipped: no engine]", () => { test("shows <bytes> & more", () => {}); });\n`;

test("counts what passed in all workspaces, and leaves node_modules out", async () => {
  const result = await run({
    "apps/one/tests/a.test.ts": good,
    "apps/two/deep/er/b.test.ts": good,
    "bench/c.test.ts": good,
    "apps/one/node_modules/dep/d.test.ts": good,
  });
  expect(result).toMatchObject({ ok: true, last: "3 passed, 0 failed" });
});

test("names a failure and ends badly", async () => {
  const failing = `${head}describe("sums", () => { test("are right", () => expect(1).toBe(2)); });\n`;
  const result = await run({ "apps/one/a.test.ts": failing, "apps/one/b.test.ts": good });
  expect(result).toMatchObject({ ok: false, last: "1 passed, 1 failed" });
  expect(result.text).toContain("apps/one/a.test.ts: sums > are right");
});

test("tells what a test failed with and where, before the names", async () => {
  const failing = [
    head,
    'test("differs", () => expect({ a: "<b> & \\"c\\"" }).toEqual({ a: 2 }));',
    'test("throws", () => { throw new Error("the pump is dry"); });',
    'test("is late", () => new Promise(() => {}), 20);',
  ].join("\n");
  const { text } = await run({ "apps/one/a.test.ts": failing });
  const details = text.slice(text.indexOf("What failed, and how:"), text.indexOf("\nFailed:"));
  expect(details).toContain("apps/one/a.test.ts: differs\n    AssertionError: expect(received).toEqual(expected)");
  expect(details).toContain(`+   "a": "<b> & "c"",`);
  expect(details).toContain("apps/one/a.test.ts: throws\n    Error: the pump is dry\n");
  expect(details).toMatch(/at .*apps\/one\/a\.test\.ts:4:/);
  expect(details).toContain("apps/one/a.test.ts: is late\n    test timed out");
});

test("shows no more of many and long failures than can be read", async () => {
  const failing = `${head}for (let n = 0; n < 23; n += 1) test(\`t\${n}\`, () => { throw new Error("x\\n".repeat(50) + "y".repeat(999)); });\n`;
  const { text, last } = await run({ "apps/one/a.test.ts": failing });
  expect(last).toBe("0 passed, 23 failed");
  const details = text.slice(text.indexOf("What failed, and how:"), text.indexOf("\nFailed:"));
  expect(details).toContain("3 more failed");
  const [, first = ""] = details.split("apps/one/a.test.ts: t");
  const lines = first.trimEnd().split("\n").slice(1);
  expect(lines).toHaveLength(25);
  expect(lines.join("\n")).toMatch(/… \d+ lines …/);
  expect(lines.at(-1)).toMatch(/at .*a\.test\.ts:2:/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(310);
});

test("lists every skip with its reason", async () => {
  const result = await run({ "apps/one/a.test.ts": good, "apps/one/b.test.ts": skipping });
  expect(result).toMatchObject({ ok: true, last: "1 passed, 0 failed, 1 skipped" });
  expect(result.text).toContain("apps/one/b.test.ts: pulls an image > shows <bytes> & more (skipped: no engine)");
});

test("counts skips as failures where they are forbidden", async () => {
  const files = { "apps/one/a.test.ts": good, "apps/one/b.test.ts": skipping };
  expect(await run(files, { forbidSkips: true })).toMatchObject({ ok: false, last: "1 passed, 1 failed" });
});

test("does not take a run in which all was skipped for a success", async () => {
  expect(await run({ "apps/one/b.test.ts": skipping })).toMatchObject({
    ok: false,
    last: "0 passed, 1 failed, 1 skipped",
  });
});

test.each([
  ["throws while loading", 'throw new Error("no");\n'],
  ["is empty", ""],
  ["ends the process with success", `${head}test("x", () => process.exit(0));\n`],
  ["is killed", `${head}test("x", () => process.kill(process.pid, "SIGKILL"));\n`],
])("counts a file that %s as failed", async (_, text) => {
  const result = await run({ "apps/one/a.test.ts": text, "apps/one/b.test.ts": good, "apps/one/c.test.ts": good });
  expect(result).toMatchObject({ ok: false, last: "2 passed, 1 failed" });
  expect(result.text).toContain("apps/one/a.test.ts");
});

test("counts a file that ends the process as failed also when it is alone", async () => {
  const result = await run({ "apps/one/a.test.ts": `${head}test("x", () => process.exit(0));\n` });
  expect(result).toMatchObject({ ok: false, last: "0 passed, 1 failed" });
});

test("no test file at all is a failure", async () => {
  expect(await run({})).toMatchObject({ ok: false, last: "0 passed, 1 failed" });
});

test("runs only the files that were asked for", async () => {
  const files = { "apps/one/a.test.ts": good, "apps/two/b.test.ts": good };
  expect(await run(files, { filters: ["two/"] })).toMatchObject({ ok: true, last: "1 passed, 0 failed" });
  expect(await run(files, { filters: ["nowhere"] })).toMatchObject({ ok: false, last: "0 passed, 1 failed" });
});

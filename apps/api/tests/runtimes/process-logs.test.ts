import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { LogLine } from "@agentpod/types";
import { appendFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { boundLog, readTail } from "../../src/runtimes/process/gateway-log.ts";
import { createLineSplitter } from "../../src/runtimes/process/line-splitter.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import { createWorld, failureOf, MOODY_GATEWAY, pidOf, runSteps, until, type World } from "../support/process-world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ command: MOODY_GATEWAY, stopTimeoutMs: 500 });
});
afterEach(() => world.end());

const never = new AbortController().signal;
const deploy = (spec: SandboxSpec) => runSteps(world.runtime.steps.deploy, spec);
const logOf = (spec: SandboxSpec) => join(world.folder(spec), "gateway.log");

async function collect(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const messages: string[] = [];
  for await (const line of lines) {
    expect(line).toEqual({ stream: null, timestamp: null, message: line.message });
    messages.push(line.message);
  }
  return messages;
}

/** Follows in the background; `lines` grows until `done` resolves. */
function follow(spec: SandboxSpec, options: { tail: number; signal?: AbortSignal }) {
  const lines: string[] = [];
  const read = async () => {
    const log = world.runtime.logs(spec.projectId, { follow: true, signal: never, ...options });
    for await (const { message } of log) lines.push(message);
  };
  return { lines, done: read() };
}

describe("logs of a process sandbox", () => {
  test("end with the last lines", async () => {
    const spec = await world.spec();
    await deploy(spec);
    await writeFile(logOf(spec), "one\ntwo\r\nthree\n");
    const read = (tail: number) => collect(world.runtime.logs(spec.projectId, { tail, follow: false, signal: never }));
    expect(await read(0)).toEqual([]);
    expect(await read(1)).toEqual(["three"]);
    expect(await read(2)).toEqual(["two", "three"]);
    expect(await read(100)).toEqual(["one", "two", "three"]);
    await appendFile(logOf(spec), "unfinished");
    expect(await read(2)).toEqual(["three", "unfinished"]);
  });

  test("are there after the sandbox has ended, and refused when it never was", async () => {
    const spec = await world.spec({ env: { MOOD: "fails" } });
    await failureOf(deploy(spec));
    const lines = await collect(world.runtime.logs(spec.projectId, { tail: 10, follow: true, signal: never }));
    expect(lines[0]).toBe("line before");
    const missing = collect(world.runtime.logs("nobody", { tail: 1, follow: false, signal: never }));
    expect((await failureOf(missing)).failure).toBe("not_found");
  });

  test("follow what the sandbox writes, every line once and in order, until it ends", async () => {
    const spec = await world.spec({ env: { MOOD: "talks" } });
    await deploy(spec);
    await until("it has talked", async () => (await Bun.file(logOf(spec)).text()).includes("line 3\n"));
    const { lines, done } = follow(spec, { tail: 1_000 });
    await until("it goes on", () => lines.length > 50);
    await runSteps(world.runtime.steps.stop, spec);
    await done;
    const written = (await Bun.file(logOf(spec)).text()).trim().split("\n");
    expect(lines).toEqual(written);
    expect(lines[0]).toBe("line 1");
  });

  test("follow from the end on when no line before is wanted", async () => {
    const spec = await world.spec();
    await deploy(spec);
    await appendFile(logOf(spec), "before\n");
    const { lines, done } = follow(spec, { tail: 0 });
    // Following has begun when it sees one of these.
    await until("a line arrives", async () => {
      await appendFile(logOf(spec), "after\n");
      return lines.length > 0;
    });
    expect(lines).not.toContain("before");
    process.kill(await pidOf(world, spec), "SIGKILL");
    await done;
  });

  test("hold an unfinished line back until it is finished", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const { lines, done } = follow(spec, { tail: 10 });
    await appendFile(logOf(spec), "first\nhalf");
    await until("the first arrives", () => lines.includes("first"));
    expect(lines).toEqual(["first"]);
    await appendFile(logOf(spec), " done\n");
    await until("the second arrives", () => lines.length === 2);
    expect(lines).toEqual(["first", "half done"]);
    await runSteps(world.runtime.steps.stop, spec);
    await done;
  });

  test("go on after the log was cut, from its new beginning", async () => {
    const spec = await world.spec();
    await deploy(spec);
    await appendFile(logOf(spec), "a line long before the cut\n");
    const { lines, done } = follow(spec, { tail: 10 });
    await until("it arrives", () => lines.length === 1);
    await truncate(logOf(spec), 0);
    await appendFile(logOf(spec), "new\n");
    await until("the new one arrives", () => lines.includes("new"));
    await runSteps(world.runtime.steps.stop, spec);
    await done;
  });

  test("end on abort, and when the sandbox is replaced or removed", async () => {
    const spec = await world.spec();
    await deploy(spec);
    const controller = new AbortController();
    const aborted = follow(spec, { tail: 10, signal: controller.signal });
    controller.abort();
    await aborted.done;

    const replaced = follow(spec, { tail: 10 });
    await deploy({ ...spec, generation: 2 });
    await replaced.done;

    const removed = follow(spec, { tail: 10 });
    await runSteps(world.runtime.steps.remove, spec);
    await removed.done;
  });

  test("give a line without end out in parts", async () => {
    const spec = await world.spec();
    await deploy(spec);
    await writeFile(logOf(spec), `${"x".repeat(100_000)}\nshort\n`);
    const lines = await collect(world.runtime.logs(spec.projectId, { tail: 2, follow: false, signal: never }));
    expect(lines.join("")).toBe(`${"x".repeat(100_000)}short`);
    expect(Math.max(...lines.map(({ length }) => length))).toBe(16 * 1024);
  });

  test("are set aside when they have grown too long, while the sandbox goes on writing", async () => {
    const spec = await world.spec({ env: { MOOD: "talks" } });
    await deploy(spec);
    await until("it has talked", async () => (await Bun.file(logOf(spec)).size) > 200);
    await boundLog(logOf(spec), 100);
    expect(await Bun.file(`${logOf(spec)}.1`).text()).toStartWith("line 1\n");
    await until("it goes on", async () => /^line \d+\n/.test(await Bun.file(logOf(spec)).text()));
    expect(await Bun.file(logOf(spec)).text()).not.toContain("\0");
  });
});

describe("reading the end of a log", () => {
  const text = Array.from({ length: 30_000 }, (_, index) => `line ${index}`).join("\n");

  test.each([
    ["with", `${text}\n`],
    ["without", text],
  ])("is exact over many blocks, %s a last newline", async (_name, content) => {
    const path = join(world.dataDir, "some.log");
    await writeFile(path, content);
    for (const count of [1, 2, 5_000, 29_999, 30_000, 30_001]) {
      const { bytes, end } = await readTail(path, count);
      expect(end).toBe(content.length);
      const lines = new TextDecoder().decode(bytes).replace(/\n$/, "").split("\n");
      expect(lines).toHaveLength(Math.min(count, 30_000));
      expect(lines.at(-1)).toBe("line 29999");
    }
  });

  test("keeps to what came after an offset, and to the whole of a log that was cut", async () => {
    const path = join(world.dataDir, "some.log");
    await writeFile(path, "old\nnew\n");
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    expect(decode((await readTail(path, 9, 4)).bytes)).toBe("new\n");
    expect(decode((await readTail(path, 9, 400)).bytes)).toBe("old\nnew\n");
    expect(decode((await readTail(path, 1, 8)).bytes)).toBe("");
    expect(decode((await readTail(join(world.dataDir, "none"), 1)).bytes)).toBe("");
    await writeFile(path, "\n\n\n");
    expect(decode((await readTail(path, 2)).bytes)).toBe("\n\n");
  });

  test("puts characters together that a block's end has cut", () => {
    const lines = createLineSplitter();
    const bytes = new TextEncoder().encode("naïve 🙂\nnext");
    const all: string[] = [];
    for (const byte of bytes) all.push(...lines.push(Uint8Array.of(byte)));
    expect([...all, ...lines.end()]).toEqual(["naïve 🙂", "next"]);
  });
});

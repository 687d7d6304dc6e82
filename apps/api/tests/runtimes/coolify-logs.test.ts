import { describe, expect, test } from "bun:test";
import type { CoolifyFake } from "@agentpod/coolify-fake";
import type { LogLine } from "@agentpod/types";
import { newLines } from "../../src/runtimes/coolify/new-lines.ts";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";
import { until } from "../support/wait.ts";

const signal = () => new AbortController().signal;

async function collect(lines: AsyncIterable<LogLine>, max = Number.POSITIVE_INFINITY): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) {
    all.push(line);
    if (all.length >= max) break;
  }
  return all;
}

const failedLooks = (fake: CoolifyFake) =>
  fake.requests().filter(({ path, status }) => path.includes("/logs") && status === 500).length;

describe("the new lines of a log that is looked at again and again", () => {
  test("are what comes after what both looks have", () => {
    const table = [
      [[], ["a"], ["a"]],
      [["a", "b"], ["a", "b"], []],
      [
        ["a", "b"],
        ["a", "b", "c", "d"],
        ["c", "d"],
      ],
      [["a", "b", "c"], ["b", "c", "d"], ["d"]],
      [["a", "a"], ["a", "a", "a"], ["a"]],
      [["a", "b", "a", "b"], ["a", "b", "c"], ["c"]],
      [
        ["a", "b"],
        ["x", "y"],
        ["x", "y"],
      ],
      [["a", "b", "c", "d"], ["d"], []],
      [["a", "b"], [], []],
    ] as const;
    for (const [before, now, fresh] of table) expect(newLines([...before], [...now])).toEqual([...fresh]);
  });

  test("add up to the whole log, whatever was seen of it at a time", () => {
    const log = Array.from({ length: 500 }, (_, index) => `${index} ${index % 3 === 0 ? "same" : "other"}`);
    let seen: string[] = [];
    let before: string[] = [];
    for (let end = 5; end <= log.length; end += 1 + (end % 17)) {
      const now = log.slice(Math.max(0, end - 20), end);
      seen = [...seen, ...newLines(before, now)];
      before = now;
    }
    expect(seen).toEqual(log.slice(0, seen.length));
    expect(seen.length).toBeGreaterThan(480);
  });
});

describe("the log of a sandbox on Coolify", () => {
  test("is its last lines with their times", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const lines = await collect(runtime.logs(spec.projectId, { tail: 1, follow: false, signal: signal() }));
    expect(lines).toEqual([
      { stream: null, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), message: "listening on 4096" },
    ]);
    const all = await collect(runtime.logs(spec.projectId, { tail: 50, follow: false, signal: signal() }));
    expect(all.map(({ message }) => message)).toEqual([`started ${spec.imageRef}`, "listening on 4096"]);
  });

  test("is followed over a redeploy, without a line twice, until the sandbox ends", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const reading = collect(runtime.logs(spec.projectId, { tail: 10, follow: true, signal: signal() }));
    const imageRef = "registry.example.com/agentpod/agentpod-go:1.0.0";
    await run(runtime.steps.deploy, { ...spec, generation: 2, imageRef });
    await run(runtime.steps.stop, spec);
    expect((await reading).map(({ message }) => message)).toEqual([
      `started ${spec.imageRef}`,
      "listening on 4096",
      `started ${imageRef}`,
      "listening on 4096",
    ]);
  });

  test("ends when its reader goes, or the control plane", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const reader = new AbortController();
    const follow = (own: AbortSignal) => collect(runtime.logs(spec.projectId, { tail: 0, follow: true, signal: own }));
    const [aborted, closed] = [follow(reader.signal), follow(signal())];
    reader.abort();
    expect(await aborted).toEqual([]);
    await runtime.close();
    expect(await closed).toEqual([]);
  });

  test("of one that is down, or was never made, is not there", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    const read = () => collect(runtime.logs(spec.projectId, { tail: 10, follow: true, signal: signal() }));
    expect(await failureOf(read())).toMatchObject({ failure: "not_found" });
    await run(runtime.steps.deploy, spec);
    await run(runtime.steps.stop, spec);
    expect(await failureOf(read())).toMatchObject({
      failure: "not_found",
      message: expect.stringContaining("is down"),
    });
  });

  test("blanks the sandbox's secrets", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec({ env: { OPENAI_API_KEY: "registry.example.com" } });
    await run(runtime.steps.deploy, spec);
    const [first] = await collect(runtime.logs(spec.projectId, { tail: 10, follow: false, signal: signal() }));
    expect(first?.message).toBe("started [redacted]/agentpod/agentpod-js:1.0.0");
  });

  test("goes on after a look that failed", async () => {
    const { fake, runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const lines = runtime.logs(spec.projectId, { tail: 1, follow: true, signal: signal() })[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: { message: "listening on 4096" } });
    fake.faults.add({ kind: "server_error", match: { path: /\/logs$/ }, times: 3 });
    const next = lines.next();
    await until("three failed looks", () => (failedLooks(fake) === 3 ? true : undefined));
    await run(runtime.steps.stop, spec);
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

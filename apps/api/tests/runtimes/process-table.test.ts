import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createProcessFinder, gatewayMarks } from "../../src/runtimes/process/find-processes.ts";
import { createProcTable } from "../../src/runtimes/process/proc-table.ts";
import { shareRuns, type ProcessEntry } from "../../src/runtimes/process/process-table.ts";
import { createPsTable } from "../../src/runtimes/process/ps-table.ts";
import { describeUnless } from "../support/engine.ts";
import { until } from "../support/process-world.ts";

const children: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    // Each leads a group, in which its own children are.
    process.kill(-child.pid, "SIGKILL");
    await child.exited;
  }
});

function start(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    detached: true,
    stdout: "ignore",
  });
  children.push(child);
  return child;
}

const tables = [
  { name: "/proc", isHere: existsSync("/proc/self/stat"), table: createProcTable() },
  { name: "ps", isHere: existsSync("/bin/ps"), table: createPsTable() },
];

/** Identities of another boot, of before the first process of this one, and of no process at all. */
const EARLIER_LIVES: ((identity: string) => string)[] = [
  (identity) => `another-boot:${identity.split(":").at(-1)}`,
  (identity) => (/^[0-9a-f-]{36}:/.test(identity) ? identity.replace(/:\d+$/, ":-1") : "Thu Jan 1 00:00:00 1970"),
  () => "",
];

for (const { name, isHere, table } of tables) {
  describeUnless(isHere ? undefined : `this system has no ${name}`, `the process table by ${name}`, () => {
    test("tells a process as long as it runs", async () => {
      const child = start(["sleep", "1000"]);
      const identity = await table.identify(child.pid);
      expect(identity).not.toBeNull();
      expect(await table.identify(child.pid)).toBe(identity);
      child.kill("SIGKILL");
      await child.exited;
      children.splice(0);
      await until("it is gone", async () => (await table.identify(child.pid)) === null);
    });

    test("tells when a process started, unless pids have begun anew since", async () => {
      const child = start(["sleep", "1000"]);
      const identity = (await table.identify(child.pid)) ?? "";
      const startedAt = (await table.scan()).find(({ pid }) => pid === child.pid)?.startedAt;
      expect(await table.startOf(identity)).toBe(startedAt ?? Number.NaN);
      for (const earlier of EARLIER_LIVES) expect(await table.startOf(earlier(identity))).toBeNull();
    });

    test("takes an ended process that nobody has waited for as gone", async () => {
      // The shell becomes a sleep, which does not know of the child it has got.
      const parent = start(["sh", "-c", "sh -c 'exit 0' & exec sleep 1000"]);
      await until("the child has ended", async () => {
        const entries = await table.scan();
        return (
          entries.some(({ pid, command }) => pid === parent.pid && command.startsWith("sleep")) &&
          entries.filter(({ groupId }) => groupId === parent.pid).length === 1
        );
      });
    });

    test("lists arguments and group", async () => {
      const child = start(["sh", "-c", "sleep 1000; true", "mark", "--agentpod-instance=x"]);
      await until("it has its group", async () => {
        const entry = (await table.scan()).find(({ pid }) => pid === child.pid);
        return entry?.groupId === child.pid && entry.command.endsWith("mark --agentpod-instance=x");
      });
    });
  });
}

test("runs are shared, but only with those who asked before they began", async () => {
  let runs = 0;
  const gate = Promise.withResolvers<undefined>();
  const run = shareRuns(async () => {
    const number = ++runs;
    if (number === 1) await gate.promise;
    return number;
  });
  const first = run();
  await Promise.resolve();
  const [second, third] = [run(), run()];
  gate.resolve(undefined);
  expect(await Promise.all([first, second, third])).toEqual([1, 2, 2]);
  expect(await run()).toBe(3);
});

test("a run that fails does not hold up the next", async () => {
  let runs = 0;
  const run = shareRuns(async () => {
    if (++runs === 1) throw new Error("once");
    return runs;
  });
  await expect(run()).rejects.toThrow("once");
  expect(await run()).toBe(2);
});

describe("finding a project's processes", () => {
  const entry = (pid: number, changes: Partial<ProcessEntry>): ProcessEntry => ({
    pid,
    groupId: pid,
    command: "bun x",
    home: null,
    startedAt: 100,
    ...changes,
  });
  const finderOf = (entries: ProcessEntry[], start: number | null = 100) =>
    createProcessFinder({
      dataDir: "/data",
      instanceId: "one",
      table: { identify: async () => null, startOf: async () => start, scan: async () => entries },
    });
  const marks = (instanceId: string, projectId: string) =>
    `bun gateway.ts ${gatewayMarks(instanceId, projectId).join(" ")}`;

  test("goes by marks of this installation and by HOME inside the data folder", async () => {
    const finder = finderOf([
      entry(2, { command: marks("one", "a") }),
      entry(3, { command: marks("two", "a") }),
      entry(4, { command: marks("one", "ab") }),
      entry(5, { home: "/data/projects/a/home" }),
      entry(6, { home: "/data/projects/a/homes" }),
      entry(7, { home: "/other/projects/a/home" }),
      entry(8, { command: "git -c agentpod.instance=one -c agentpod.project=a clone -- url" }),
    ]);
    const found = await finder.of("a");
    expect(found.map(({ pid, kind }) => [pid, kind])).toEqual([
      [2, "gateway"],
      [5, null],
      [8, "clone"],
    ]);
  });

  test("takes what is left of a group, unless the group's number is somebody else's by now", async () => {
    const member = entry(21, { groupId: 20 });
    const leader = { pid: 20, identity: "then" };
    expect((await finderOf([member]).of("a", leader)).map(({ pid }) => pid)).toEqual([21]);
    expect(await finderOf([member, entry(20, {})]).of("a", leader)).toEqual([]);
    expect(await finderOf([member]).of("a")).toEqual([]);
  });

  test("takes nothing by a group's number from before pids began anew, nor what is older than its leader", async () => {
    const leader = { pid: 20, identity: "then" };
    const entries = [entry(21, { groupId: 20, startedAt: 99 }), entry(22, { groupId: 20, startedAt: 101 })];
    expect((await finderOf(entries).of("a", leader)).map(({ pid }) => pid)).toEqual([22]);
    expect(await finderOf(entries, null).of("a", leader)).toEqual([]);
  });
});

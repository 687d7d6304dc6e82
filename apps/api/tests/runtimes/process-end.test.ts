import { expect, test } from "bun:test";
import { createProcessEnder } from "../../src/runtimes/process/end-processes.ts";
import { createProcessFinder } from "../../src/runtimes/process/find-processes.ts";
import { describeUnless } from "../support/engine.ts";
import { systemTable, until } from "../support/process-world.ts";

const table = systemTable();
const finder = createProcessFinder({ table, dataDir: "/nowhere", instanceId: "test-of-ending" });
const ender = createProcessEnder({ table, finder, stopTimeoutMs: 10_000 });

const setsidMissing = Bun.which("setsid") === null ? "setsid is not installed" : undefined;

describeUnless(setsidMissing, "a group led by a zombie", () => {
  test("a process whose parent never looks after it counts as ended once it is", async () => {
    const seconds = `10${process.pid}`;
    // The parent turns into a sleep, so the group's leader stays in the table as a zombie.
    const parent = Bun.spawn(["sh", "-c", `setsid sleep ${seconds} & exec sleep 1000`]);
    const find = async () => (await table.scan()).find(({ command }) => command === `sleep ${seconds}`);
    await until("it runs", async () => (await find()) !== undefined);
    const leader = await find();
    const identity = await table.identify(leader?.pid ?? 0);
    if (!leader || identity === null) throw new Error("it ended by itself");
    expect(leader.groupId).toBe(leader.pid);

    const startedAt = performance.now();
    await ender.endGroup({ pid: leader.pid, identity });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await table.identify(leader.pid)).toBeNull();
    // Still in the table: signals go through.
    process.kill(leader.pid, 0);
    parent.kill("SIGKILL");
    await parent.exited;
  });
});

test("a pid that has become somebody else's is not signalled", async () => {
  const child = Bun.spawn(["sleep", "1000"], { detached: true });
  await ender.endGroup({ pid: child.pid, identity: "another time" });
  await ender.endProject("p", { pid: child.pid, identity: "another time" });
  expect(await table.identify(child.pid)).not.toBeNull();
  expect(child.exitCode).toBeNull();
  child.kill("SIGKILL");
  await child.exited;
});

test("what has got the group's number of a process from before a restart is not signalled", async () => {
  // The shell leads a group of its own and ends, so that its child is in it without a leader.
  const shell = Bun.spawn(["sh", "-c", "sleep 1000 >/dev/null & echo $!"], { detached: true, stdout: "pipe" });
  const member = Number(await shell.stdout.text());
  await shell.exited;
  const identity = await table.identify(member);
  await ender.endProject("p", { pid: shell.pid, identity: "another boot:1" });
  expect(await table.identify(member)).toBe(identity);
  // Of the same boot, what the leader started is ended.
  await ender.endProject("p", { pid: shell.pid, identity: identity ?? "" });
  expect(await table.identify(member)).toBeNull();
});

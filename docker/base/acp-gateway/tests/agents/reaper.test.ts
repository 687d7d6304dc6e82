import { expect, test } from "bun:test";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readStat } from "../../src/agents/proc.ts";
import { until } from "../support/gateway.ts";
import { alive, entry, HELLO, testManager } from "./support.ts";

const HOLDER = join(import.meta.dir, "manager-holder.ts");
const numberIn = async (path: string) =>
  Number(
    await Bun.file(path)
      .text()
      .catch(() => "0"),
  );

/** Another process with a manager, which starts an agent that outlives everything, and is killed -9. */
async function leaveBehind(folder: string, body: string): Promise<number> {
  const holder = Bun.spawn([process.execPath, HOLDER, folder, body], { stdout: "pipe", stderr: "inherit" });
  let pid = 0;
  for await (const chunk of holder.stdout) {
    pid = Number(new TextDecoder().decode(chunk));
    break;
  }
  holder.kill("SIGKILL");
  await holder.exited;
  return pid;
}

/** The gateway that comes after, which looks for what the one before left. */
async function nextGateway(folder: string): Promise<void> {
  await using next = await testManager({ dataFolder: join(folder, "data") });
  expect(next.manager.running()).toEqual([]);
}

test("agents that outlive a killed gateway, and their children, are ended by the next one", async () => {
  await using agents = await testManager();
  const body = `trap "" TERM HUP; sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 1; done' & ${HELLO}; while :; do sleep 1; done`;
  const pid = await leaveBehind(agents.folder, body);
  await until(async () => (await numberIn(join(agents.folder, "child"))) > 0);
  const child = await numberIn(join(agents.folder, "child"));
  expect([alive(pid), alive(child)]).toEqual([true, true]);
  await using next = await testManager({ dataFolder: join(agents.folder, "data") });
  await until(() => !alive(pid) && !alive(child));
  expect(next.logged).toMatchObject([{ message: "ended agents of an earlier gateway", fields: { pids: [pid] } }]);
});

test("children are found when the agent itself has ended", async () => {
  await using agents = await testManager();
  const pid = await leaveBehind(agents.folder, `(trap "" TERM; sleep 600) & echo $! > child; ${HELLO}; sleep 600`);
  const child = await numberIn(join(agents.folder, "child"));
  process.kill(pid, "SIGKILL");
  await until(() => !alive(pid) || readStat(pid)?.state === "Z");
  expect(alive(child)).toBe(true);
  await using next = await testManager({ dataFolder: join(agents.folder, "data") });
  await until(() => !alive(child));
  expect(next.logged).toHaveLength(1);
});

test("a process that only has the pid of an old one is left alone", async () => {
  await using agents = await testManager();
  const stranger = Bun.spawn(["sleep", "600"], { detached: true });
  try {
    const bootId = (await Bun.file("/proc/sys/kernel/random/boot_id").text()).trim();
    const startTime = readStat(stranger.pid)?.startTime ?? 0;
    const record = { pid: stranger.pid, startTime: startTime - 1, mark: "m" };
    const path = join(agents.folder, "data/processes.json");
    await mkdir(join(agents.folder, "data"), { recursive: true });
    await Bun.write(path, JSON.stringify({ bootId, processes: [record] }));
    await nextGateway(agents.folder);
    // The same process, but recorded before the machine was started anew.
    await Bun.write(path, JSON.stringify({ bootId: "another", processes: [{ ...record, startTime }] }));
    await nextGateway(agents.folder);
    await Bun.sleep(100);
    expect(stranger.killed).toBe(false);
    expect(alive(stranger.pid)).toBe(true);
    // The right time, for the sake of the test: now it is one of ours.
    await Bun.write(path, JSON.stringify({ bootId, processes: [{ ...record, startTime }] }));
    await nextGateway(agents.folder);
    await stranger.exited;
    expect(stranger.signalCode).toBe("SIGKILL");
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("a broken processes.json stops nothing and is said", async () => {
  await using agents = await testManager();
  const path = join(agents.folder, "data/processes.json");
  await Bun.write(path, '{"bootId":');
  await using next = await testManager({ dataFolder: join(agents.folder, "data") });
  expect(next.logged).toMatchObject([{ message: expect.stringContaining("cannot be read") }]);
  const agent = await next.start("scripted");
  const written = JSON.parse(await Bun.file(path).text());
  expect(written.processes).toMatchObject([{ pid: agent.pid, startTime: readStat(agent.pid)?.startTime }]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await agent.stop();
  await until(async () => JSON.parse(await Bun.file(path).text()).processes.length === 0);
});

test("an agent whose pid cannot be written down is not used", async () => {
  await using agents = await testManager({
    entries: [entry("fine", ["sh", "-c", HELLO])],
    dataFolder: "/proc/nowhere",
  });
  await expect(agents.start("fine")).rejects.toMatchObject({ code: "storage_full" });
  expect(agents.manager.running()).toEqual([]);
});

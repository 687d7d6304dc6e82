import { join } from "node:path";
import { readFileSync } from "node:fs";
import { missed } from "@agentpod/api/tests/support/sse/missed.ts";
import { openReaders } from "@agentpod/api/tests/support/sse/readers.ts";
import { choosePlacement, pinned } from "./support/cpus.ts";
import { createDataFolder } from "./support/data.ts";
import { createOperations } from "./support/operations.ts";
import { readOptions } from "./support/options.ts";
import { settled } from "./support/projects.ts";
import { type Comparison, report } from "./support/report.ts";
import { runBench } from "./support/run-bench.ts";
import { startServer } from "./support/server.ts";
import { load, requireWrk } from "./support/wrk.ts";

const readers = { all: 1_900, ofOneProject: 100 };
const readerCount = readers.all + readers.ofOneProject;
const operationCount = 100;
const ratioMax = 3;
/** While it is there, and after it has gone. */
const readerKbMax = { there: 128, gone: 48 };

const options = readOptions("bun src/events.ts [--json] [--check] [--rounds N] [--seconds N]", {
  rounds: 5,
  seconds: 5,
});
requireWrk();
const placement = choosePlacement();
// Four deploys are at work at a time, each of four stages: that many come one after the other. Together they outlast the load.
const stepMs = Math.ceil((options.seconds * 1_000 + 1_500) / operationCount);

async function measure(signal: AbortSignal): Promise<Comparison[]> {
  using data = createDataFolder();
  await using api = await startServer({
    command: ["apps/api/tests/support/stand-in-api.ts"],
    env: { DATA_DIR: data.path, STEP_MS: String(stepMs) },
    cpu: placement.server,
  });
  const listP99 = async (): Promise<number> => {
    const request = { url: `${api.url}/api/projects`, method: "GET", headers: {} } as const;
    return (await load(request, { connections: 1, seconds: options.seconds, cpu: placement.client })).p99Ms;
  };
  const operations = await createOperations(api.url);
  for (const id of operations.projectIds) await settled(api.url, id);
  const groups = [
    { path: "/api/events", after: 0, count: readers.all },
    { path: `/api/projects/${operations.projectIds[0]}/events`, after: 0, count: readers.ofOneProject },
  ];
  const figures = { idleMs: [] as number[], busyMs: [] as number[], readerKb: [] as number[], leftKb: [] as number[] };
  await listP99();
  for (let round = 0; round < options.rounds; round += 1) {
    signal.throwIfAborted();
    figures.idleMs.push(await listP99());
    const before = residentKb(api.pid);
    {
      await using opened = await openReaders(Number(new URL(api.url).port), groups, pinned([], placement.client));
      let isOver = false;
      const work = operations.run(operationCount, signal).finally(() => {
        isOver = true;
      });
      figures.busyMs.push(await listP99());
      if (isOver) throw new Error("the operations were over before the load was");
      await work;
      const complaints = await missed(join(data.path, "agentpod.db"), opened);
      if (complaints.length > 0) throw new Error(`readers missed events:\n${complaints.join("\n")}`);
      figures.readerKb.push((residentKb(api.pid) - before) / readerCount);
    }
    await allGone(api.url);
    figures.leftKb.push((residentKb(api.pid) - before) / readerCount);
  }
  const { idleMs, busyMs, readerKb, leftKb } = figures;
  return [
    { name: "p99 of GET /api/projects", unit: "ms", measured: busyMs, reference: idleMs, aim: { atMost: ratioMax } },
    { name: "memory a reader took", unit: "KB", measured: readerKb, aim: { atMost: readerKbMax.there } },
    { name: "and did not give back", unit: "KB", measured: leftKb, aim: { atMost: readerKbMax.gone } },
  ];
}

/** Resolves when the API has noticed that its readers have gone. */
async function allGone(apiUrl: string): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${apiUrl}/metrics`)).text();
    if (!/^agentpod_sse_clients\{.*\} [1-9]/m.test(metrics)) return;
    await Bun.sleep(50);
  }
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

await runBench(async (signal) => {
  const title = `${readerCount} readers of events while ${operationCount} operations run, against neither`;
  report(title, await measure(signal), options, [
    `${options.rounds} rounds of ${options.seconds} s each; every reader got every event, in order`,
  ]);
});

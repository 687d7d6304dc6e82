import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareFloods } from "./gateway/floods.ts";
import { latency } from "./gateway/latency.ts";
import { peakMb } from "./gateway/memory.ts";
import { memoryMb } from "./gateway/processes.ts";
import { type Readers, startReaders } from "./gateway/readers.ts";
import { bundleGateway, type GatewaySide, startGateway, startGatewaySide } from "./gateway/side-gateway.ts";
import { startPassthrough, startSdkClient } from "./gateway/side-raw.ts";
import { installSandboxAgent, startSandboxAgent } from "./gateway/side-sandbox-agent.ts";
import type { Agent, Side } from "./gateway/sides.ts";
import { floodMany } from "./gateway/throughput.ts";
import { writeUpdates } from "./gateway/updates.ts";
import { readOptions } from "./support/options.ts";
import { type Comparison, report } from "./support/report.ts";
import { inTurns } from "./support/rounds.ts";
import { runBench } from "./support/run-bench.ts";

const READERS = 10;
const MEMORY_UPDATES = 200_000;
const IDLE_MS = 1000;

const options = readOptions("bun src/gateway.ts [--json] [--check] [--rounds N] [--seconds N]", {
  rounds: 5,
  seconds: 2,
});
const { rounds, seconds } = options;
const count = seconds * 100_000;
const notes = [
  `${rounds} rounds; ${count.toLocaleString("en-US")} updates of 250 bytes a flood; server, agent and readers share the CPUs`,
];

/** An agent that floods with `updates`. */
function agentWith(updates: number, folder: string, signal: AbortSignal): Agent {
  const file = join(folder, `updates-${updates}`);
  writeUpdates(file, updates);
  return { command: [process.execPath, join(import.meta.dir, "gateway/agent.ts"), file], signal };
}

/** Null, with a note, where npm does not give it to us now. */
async function sandboxAgent(agent: Agent): Promise<Side | null> {
  try {
    return await startSandboxAgent(await installSandboxAgent(agent.signal), agent);
  } catch (error) {
    if (agent.signal.aborted) throw error;
    notes.push(`NOT MEASURED against sandbox-agent: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

async function compareStart(bundle: string, agent: Agent): Promise<Comparison[]> {
  const startMs: number[] = [];
  const idleMb: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using gateway = await startGateway(bundle, agent);
    startMs.push(gateway.startMs);
    await Bun.sleep(IDLE_MS);
    idleMb.push(memoryMb(gateway.pid, "VmRSS"));
  }
  return [
    { name: "first answer after the start", unit: "ms", measured: startMs, aim: { atMost: 200 } },
    { name: "memory of an idle gateway", unit: "MB", measured: idleMb, aim: { atMost: 60 } },
  ];
}

async function comparePace(gateway: Side, passthrough: Side, readers: Readers, signal: AbortSignal) {
  const found = await inTurns(
    { rounds, signal },
    {
      measured: () => latency(gateway, readers, seconds),
      reference: () => latency(passthrough, readers, seconds),
    },
  );
  const added = (key: "p50Ms" | "p99Ms") =>
    found.measured.map((ours, round) => ours[key] - (found.reference[round]?.[key] ?? Number.NaN));
  return [
    { name: "latency added at 200 updates/s, p50", unit: "ms", measured: added("p50Ms"), aim: { atMost: 0.5 } },
    { name: "latency added at 200 updates/s, p99", unit: "ms", measured: added("p99Ms") },
  ] satisfies Comparison[];
}

async function compareMany(gateway: GatewaySide, readers: Readers, signal: AbortSignal): Promise<Comparison> {
  const measured: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    measured.push(await floodMany(gateway, readers, { readers: READERS, count }));
  }
  return { name: "log and ten readers, the slowest", unit: "updates/s", measured, aim: { atLeast: 100_000 } };
}

async function comparePeak(bundle: string, readers: Readers, agent: Agent): Promise<Comparison> {
  const measured: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using gateway = await startGatewaySide(bundle, agent);
    measured.push(await peakMb(gateway, readers, MEMORY_UPDATES));
  }
  return { name: "most memory, 200,000 updates, three readers", unit: "MB", measured, aim: { atMost: 150 } };
}

async function measure(folder: string, signal: AbortSignal): Promise<Comparison[]> {
  const agent = agentWith(count, folder, signal);
  const bundle = await bundleGateway(folder);
  const start = await compareStart(bundle, agent);
  await using readers = startReaders();
  const peak = await comparePeak(bundle, readers, agentWith(MEMORY_UPDATES, folder, signal));
  await using stack = new AsyncDisposableStack();
  const gateway = stack.use(await startGatewaySide(bundle, agent));
  const passthrough = stack.use(await startPassthrough(agent));
  const sides = {
    gateway,
    passthrough,
    "SDK client + Hono": stack.use(await startSdkClient(agent)),
    "sandbox-agent": stack.use(await sandboxAgent(agent)),
  };
  return [
    ...(await compareFloods(sides, readers, { rounds, count, signal }, notes)),
    await compareMany(gateway, readers, signal),
    ...(await comparePace(gateway, passthrough, readers, signal)),
    ...start,
    peak,
  ];
}

await runBench(async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-bench-gateway-"));
  try {
    report("The ACP gateway: from an agent's pipe to its readers", await measure(folder, signal), options, notes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAcpClient } from "../../docker/base/acp-gateway/src/acp-client.ts";
import { startAgentProcess } from "../../docker/base/acp-gateway/src/agents/agent-process.ts";
import { createCounters } from "../../docker/base/acp-gateway/src/agents/counters.ts";
import { createRedactor } from "../../docker/base/acp-gateway/src/agents/redactor.ts";
import { pinned } from "../src/support/cpus.ts";

/**
 * How many updates per second the gateway takes from an agent's pipe: cut, parsed and handed to a
 * session's handler. Against the same pipe read without looking into it, in turns. Everything runs in
 * this process; `cat` is the agent.
 */
const COUNT = 400_000;
const LINE_BYTES = 250;
const ROUNDS = 7;

const TAILS = { fast: "", slow: ',"_meta":{}' };

function lines(tail: string): string {
  const start = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1234567890","update":';
  const chunk = '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"';
  const rest = `"}}${tail}}}\n`;
  const width = LINE_BYTES - start.length - chunk.length - rest.length;
  return Array.from({ length: COUNT }, (_, n) => `${start}${chunk}${String(n).padEnd(width, ".")}${rest}`).join("");
}

type Result = { perSecond: number; cpuMicros: number };

async function measured(run: () => Promise<number>): Promise<Result> {
  Bun.gc(true);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const count = await run();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  if (count !== COUNT) throw new Error(`${count} of ${COUNT} updates arrived`);
  return { perSecond: (COUNT / ms) * 1000, cpuMicros: (user + system) / COUNT };
}

async function bare(file: string): Promise<number> {
  const child = Bun.spawn(["cat", file], { stdout: "pipe" });
  let count = 0;
  for await (const chunk of child.stdout) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1;
  }
  return count;
}

async function ours(file: string): Promise<number> {
  const redactor = createRedactor();
  let count = 0;
  let characters = 0;
  const agent = startAgentProcess({
    argv: ["cat", file],
    cwd: tmpdir(),
    env: { PATH: process.env["PATH"] ?? "" },
    redactor,
    limits: { lineBytes: 32 * 1024 * 1024, stdinBytes: 1024 * 1024 },
    graceMs: 1000,
    room: () => Promise.resolve(),
    onBlock: (block) => client.readBlock(block),
  });
  const send = (line: string) => agent.send(line);
  const client = createAcpClient({ agentId: "cat", redactor, counters: createCounters(), send, log: () => undefined });
  const { promise, resolve } = Promise.withResolvers<void>();
  client.attach("s-1234567890", {
    onUpdate(_update, raw) {
      characters += raw.length;
      count += 1;
      if (count === COUNT) resolve();
    },
    onNotification: () => undefined,
    onRequest: () => Promise.resolve({}),
  });
  await Promise.race([promise, agent.exited]);
  if (characters === 0) throw new Error("no text arrived");
  return count;
}

const median = (results: Result[]) =>
  results.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(results.length / 2)] ?? {
    perSecond: 0,
    cpuMicros: 0,
  };

if (!process.argv.includes("--here")) {
  // One CPU for everything: what this process reaches is what one CPU can do.
  const command = pinned(
    [process.execPath, import.meta.path, "--here"],
    process.argv.includes("--one-cpu") ? 0 : undefined,
  );
  process.exit(await Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"] }).exited);
}

const files = { fast: join(tmpdir(), `pipe-fast-${process.pid}`), slow: join(tmpdir(), `pipe-slow-${process.pid}`) };
try {
  writeFileSync(files.fast, lines(TAILS.fast));
  writeFileSync(files.slow, lines(TAILS.slow));
  const sides: Record<string, () => Promise<number>> = {
    "pipe alone, lines counted": () => bare(files.fast),
    "updates as agents write them": () => ours(files.fast),
    "updates with _meta behind": () => ours(files.slow),
  };
  const results = new Map<string, Result[]>(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(sides)) results.get(name)?.push(await measured(run));
  }
  for (const [name, all] of results) {
    const { perSecond, cpuMicros } = median(all);
    console.log(
      `${name.padEnd(32)} ${Math.round(perSecond).toLocaleString("en")}/s  ${cpuMicros.toFixed(2)} µs CPU each`,
    );
  }
} finally {
  for (const file of Object.values(files)) rmSync(file, { force: true });
}

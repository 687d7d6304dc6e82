import { monotonicMs } from "./clock.ts";
import { cpuMs } from "./processes.ts";
import type { Readers } from "./readers.ts";
import type { GatewaySide } from "./side-gateway.ts";
import type { Side } from "./sides.ts";

export type Flood = {
  updatesPerSecond: number;
  /** Of the server alone, for each update that arrived. */
  cpuMicros: number;
  lost: number;
};

/** A flood of updates to one reader, from the prompt to the last of them. @throws Error when their order is wrong */
export async function flood(side: Side, readers: Readers, count: number): Promise<Flood> {
  const { quietMs, ...stream } = await side.stream();
  const { results } = await readers.open([
    { ...stream, port: side.port, mode: "keep", ...(quietMs !== undefined && { quietMs }) },
  ]);
  const cpuBefore = cpuMs(side.pid);
  const startMs = monotonicMs();
  await side.prompt("flood");
  const [result] = await results;
  const cpu = cpuMs(side.pid) - cpuBefore;
  if (!result || result.complaint !== null) throw new Error(`the events are not in order: ${result?.complaint}`);
  const { updates, endMs } = result;
  return {
    updatesPerSecond: (updates / (endMs - startMs)) * 1000,
    cpuMicros: (cpu / updates) * 1000,
    lost: count - updates,
  };
}

/** As `flood`, to several readers. Tells the updates/s of the slowest, and fails unless all got the same. */
export async function floodMany(side: GatewaySide, readers: Readers, of: { readers: number; count: number }) {
  const after = await side.lastSeq();
  const stream = { ...side.streamAfter(after), port: side.port };
  const { results } = await readers.open(Array.from({ length: of.readers }, () => ({ ...stream, mode: "digest" })));
  const startMs = monotonicMs();
  await side.prompt("flood");
  const all = await results;
  const endMs = Math.max(...all.map((result) => result.endMs));
  await requireSame(
    readers,
    { ...stream, count: of.count },
    all.map(({ digest }) => digest),
  );
  return (of.count / (endMs - startMs)) * 1000;
}

type Place = { port: number; path: string; headers: Record<string, string>; count: number };

/** Reads the log once more, looks at every event in it, and compares what the readers had. */
export async function requireSame(readers: Readers, { count, ...stream }: Place, digests: string[]): Promise<void> {
  const again = await readers.open([
    { ...stream, mode: "keep" },
    { ...stream, mode: "digest" },
  ]);
  const [kept, digested] = await again.results;
  if (!kept || kept.complaint !== null) throw new Error(`the log is not in order: ${kept?.complaint}`);
  if (kept.updates !== count) throw new Error(`the log has ${kept.updates} of ${count} updates`);
  const others = digests.filter((digest) => digest !== digested?.digest);
  if (others.length > 0) throw new Error(`readers' logs differ: ${[digested?.digest, ...others].join("; ")}`);
}

import { memoryMb } from "./processes.ts";
import type { Readers } from "./readers.ts";
import type { GatewaySide } from "./side-gateway.ts";
import { requireSame } from "./throughput.ts";

const MB = 1e6;
const RECONNECT_MS = 1000;

/**
 * The most memory a new gateway takes while three readers follow a flood: one as fast as it can, one slow,
 * and one that comes back every second. Fails unless all three have the same log.
 */
export async function peakMb(side: GatewaySide, readers: Readers, count: number): Promise<number> {
  const stream = { ...side.streamAfter(await side.lastSeq()), port: side.port };
  const { results } = await readers.open([
    { ...stream, mode: "digest" },
    { ...stream, mode: "digest", bytesPerSecond: 20 * MB },
    { ...stream, mode: "digest", bytesPerSecond: 30 * MB, connectionMs: RECONNECT_MS },
  ]);
  await side.prompt("flood");
  const all = await results;
  const peak = memoryMb(side.pid, "VmHWM");
  const returning = all[2]?.connections ?? 0;
  if (returning < 2) throw new Error("the reader that comes back never did");
  await requireSame(
    readers,
    { ...stream, count },
    all.map(({ digest }) => digest),
  );
  return peak;
}

import type { Readers } from "./readers.ts";
import type { Side } from "./sides.ts";

const PER_SECOND = 200;

export type Latency = { p50Ms: number; p99Ms: number };

/** From the agent's clock to the client, at 200 updates a second. */
export async function latency(side: Side, readers: Readers, seconds: number): Promise<Latency> {
  const { quietMs: _, ...stream } = await side.stream();
  const { results } = await readers.open([{ ...stream, port: side.port, mode: "keep" }]);
  await side.prompt(`pace ${PER_SECOND * seconds} ${1000 / PER_SECOND}`);
  const [result] = await results;
  const sorted = (result?.latenciesMs ?? []).toSorted((a, b) => a - b);
  if (sorted.length !== PER_SECOND * seconds) throw new Error(`${sorted.length} updates of the agent's pace arrived`);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

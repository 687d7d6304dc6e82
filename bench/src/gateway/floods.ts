import type { Comparison } from "../support/report.ts";
import { inTurns } from "../support/rounds.ts";
import { spread } from "../support/statistics.ts";
import type { Readers } from "./readers.ts";
import type { Side } from "./sides.ts";
import { type Flood, flood } from "./throughput.ts";

export type Sides = {
  gateway: Side;
  passthrough: Side;
  "SDK client + Hono": Side;
  /** Null where it is not to be had. */
  "sandbox-agent": Side | null;
};

type Options = { rounds: number; count: number; signal: AbortSignal };

const aims: Partial<Record<keyof Sides, number>> = { "sandbox-agent": 2.5, "SDK client + Hono": 2.5 };

/** Updates/s to one reader, of each side. Adds a note on what each of them lost. */
export async function compareFloods(
  sides: Sides,
  readers: Readers,
  { rounds, count, signal }: Options,
  notes: string[],
): Promise<Comparison[]> {
  const runs: Record<string, () => Promise<Flood>> = {};
  for (const [name, side] of Object.entries(sides)) if (side) runs[name] = () => flood(side, readers, count);
  // The first flood compiles what the others run.
  for (const run of Object.values(runs)) await run();
  const found = await inTurns({ rounds, signal }, runs);
  const of = (name: keyof Sides, key: keyof Flood) => found[name]?.map((result) => result[key]) ?? [];
  for (const name of ["gateway", "passthrough", "SDK client + Hono"] as const) {
    const lost = of(name, "lost").reduce((sum, each) => sum + each, 0);
    if (lost > 0) throw new Error(`${name} lost ${lost} updates`);
  }
  if (sides["sandbox-agent"]) notes.push(lossNote(of("sandbox-agent", "lost"), count));
  const measured = of("gateway", "updatesPerSecond");
  const against = (["passthrough", "sandbox-agent", "SDK client + Hono"] as const).flatMap((name): Comparison[] => {
    const atLeast = aims[name];
    const reference = of(name, "updatesPerSecond");
    if (reference.length === 0) return [];
    return [
      { name: `  against ${name}`, unit: "updates/s", measured, reference, ...(atLeast && { aim: { atLeast } }) },
    ];
  });
  return [
    { name: "log and one reader", unit: "updates/s", measured, aim: { atLeast: 200_000 } },
    ...against,
    {
      name: "CPU for an update, against passthrough",
      unit: "µs",
      measured: of("gateway", "cpuMicros"),
      reference: of("passthrough", "cpuMicros"),
    },
  ];
}

function lossNote(lost: readonly number[], count: number): string {
  const { min, max } = spread(lost);
  if (max === 0) return "nobody lost an update";
  const range = min === max ? String(max) : `${min} to ${max}`;
  return `sandbox-agent lost ${range} of ${count} updates in a flood without a word, the others none`;
}

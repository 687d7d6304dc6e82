import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Options } from "./options.ts";
import { type Spread, spread } from "./statistics.ts";

/** What was measured, one value a round, and how it should compare. */
export interface Comparison {
  name: string;
  unit: "requests/s" | "updates/s" | "ms" | "µs" | "KB" | "MB";
  measured: readonly number[];
  /** The same rounds of what it is measured against; absent for a figure that stands for itself. */
  reference?: readonly number[];
  /** A limit of the ratio, or of the figure when there is no reference; absent for what is only told. */
  aim?: { atLeast: number } | { atMost: number };
}

interface Row {
  name: string;
  unit: Comparison["unit"];
  measured: Spread;
  reference: Spread | null;
  /** Of the rounds' own ratios, so that a change of the machine's load hits both sides. */
  ratio: Spread | null;
  aim: NonNullable<Comparison["aim"]> | null;
  met: boolean | null;
}

/** Prints all comparisons; ends the process with 1 when `--check` was given and an aim is missed. */
export function report(
  title: string,
  comparisons: readonly Comparison[],
  options: Options,
  notes: readonly string[],
): void {
  const rows = comparisons.map(toRow);
  const machine = { cpus: cpus().length, load: loadAverage(), bun: Bun.version };
  if (options.json) console.log(JSON.stringify({ title, machine, notes, rows }, null, 2));
  else
    printTable(title, rows, [`${machine.cpus} CPUs, load ${machine.load ?? "unknown"}, Bun ${machine.bun}`, ...notes]);
  if (options.check && rows.some(({ met }) => met === false)) process.exitCode = 1;
}

/** The load of the last minute, which a benchmark should be the only cause of. */
function loadAverage(): number | null {
  try {
    return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}

function toRow({ name, unit, measured, reference, aim }: Comparison): Row {
  const ratio = reference ? spread(measured.map((value, round) => value / (reference[round] ?? Number.NaN))) : null;
  const figure = (ratio ?? spread(measured)).median;
  return {
    name,
    unit,
    measured: spread(measured),
    reference: reference ? spread(reference) : null,
    ratio,
    aim: aim ?? null,
    met: aim === undefined ? null : "atLeast" in aim ? figure >= aim.atLeast : figure <= aim.atMost,
  };
}

function printTable(title: string, rows: readonly Row[], notes: readonly string[]): void {
  console.log(`${title}\n${notes.map((note) => `  ${note}\n`).join("")}`);
  const lines = [
    ["", "measured", "against", "ratio (min to max)", "aim", ""],
    ...rows.map((row) => [
      row.name,
      amount(row.measured, row.unit),
      row.reference ? amount(row.reference, row.unit) : "-",
      ratioText(row),
      row.aim === null ? "-" : "atLeast" in row.aim ? `>= ${row.aim.atLeast}` : `<= ${row.aim.atMost}`,
      row.met === null ? "" : row.met ? "met" : "MISSED",
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function ratioText({ ratio, measured, unit }: Row): string {
  if (ratio) return `${ratio.median.toFixed(3)} (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)})`;
  return `(${number(measured.min, unit)} to ${number(measured.max, unit)})`;
}

function amount({ median }: Spread, unit: Row["unit"]): string {
  return `${number(median, unit)} ${unit}`;
}

function number(value: number, unit: Row["unit"]): string {
  const digits = unit === "ms" && value < 10 ? 3 : unit === "µs" ? 2 : 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

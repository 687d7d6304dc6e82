export interface ParsedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface ParsedFamily {
  type: string;
  help: string;
  samples: ParsedSample[];
}

type Format = "prometheus" | "openmetrics";

const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** Reads an answer of /metrics and fails on everything that either format's definition forbids. */
export function parseExposition(text: string, format: Format): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current = "";
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("the last line is not # EOF");
  for (const line of lines) {
    const [, keyword, family, rest] = head.exec(line) ?? [];
    if (keyword === "HELP" && family !== undefined && rest !== undefined) {
      if (families.has(family)) throw new Error(`two families ${family}`);
      families.set(family, { type: "", help: rest, samples: [] });
      current = family;
    } else if (keyword === "TYPE" && family !== undefined && rest !== undefined) {
      const known = families.get(family);
      if (known === undefined || family !== current || known.type !== "") throw new Error(`out of order: ${line}`);
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`unknown type: ${line}`);
      known.type = rest;
    } else {
      const sample = parseSample(line);
      const series = `${sample.name} ${keyOf(sample.labels)}`;
      if (seen.has(series)) throw new Error(`twice: ${line}`);
      seen.add(series);
      const known = families.get(current);
      if (known === undefined || !namesOf(current, known.type, format).includes(sample.name))
        throw new Error(`not of family ${current}: ${line}`);
      known.samples.push(sample);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseSample(line: string): ParsedSample {
  const [, name, labelText = "", valueText = ""] = sampleLine.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < labelText.length) {
    const [, labelName, labelValue] = label.exec(labelText) ?? [];
    if (labelName === undefined || labelValue === undefined || labelName in labels)
      throw new Error(`wrong labels: ${line}`);
    labels[labelName] = labelValue.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
  }
  if (!/^(NaN|[+-]Inf|[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/i.test(valueText)) throw new Error(`no number: ${line}`);
  return { name, labels, value: numberOf(valueText) };
}

function namesOf(family: string, type: string, format: Format): string[] {
  if (type === "histogram") return ["bucket", "sum", "count"].map((part) => `${family}_${part}`);
  if (type === "counter" && format === "prometheus" && !family.endsWith("_total"))
    throw new Error(`a counter without _total: ${family}`);
  return [type === "counter" && format === "openmetrics" ? `${family}_total` : family];
}

function checkFamily(name: string, { type, samples }: ParsedFamily): void {
  if (type === "") throw new Error(`${name} has no type`);
  for (const { value, name: sample } of samples) {
    if (type !== "gauge" && !(value >= 0)) throw new Error(`${sample} counts ${value}`);
  }
  if (type !== "histogram") return;
  const groups = Object.values(Object.groupBy(samples, ({ labels }) => keyOf({ ...labels, le: "" })));
  for (const group of groups) {
    const buckets = (group ?? []).filter((sample) => sample.name === `${name}_bucket`);
    const counts = buckets.map(({ value }) => value);
    const bounds = buckets.map(({ labels }) => labels["le"] ?? "");
    if (bounds.some((bound) => bound !== "+Inf" && !/^\d+\.\d+$/.test(bound))) throw new Error(`${name}: wrong le`);
    const numbers = bounds.map(numberOf);
    if (!isGrowing(numbers, true) || numbers.at(-1) !== Infinity) throw new Error(`${name}: buckets out of order`);
    if (!isGrowing(counts, false)) throw new Error(`${name}: buckets do not add up`);
    const total = group?.find((sample) => sample.name === `${name}_count`)?.value;
    if (total !== counts.at(-1)) throw new Error(`${name}: ${total} are not ${counts.at(-1)}`);
    if (!group?.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name} has no sum`);
  }
}

const isGrowing = (numbers: number[], strictly: boolean): boolean =>
  numbers.every((number, index) => {
    const before = numbers[index - 1] ?? -Infinity;
    return strictly ? number > before : number >= before;
  });

const keyOf = (labels: ParsedSample["labels"]): string =>
  Object.entries(labels)
    .map((pair) => JSON.stringify(pair))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join();

const numberOf = (text: string): number => Number(text.replace("Inf", "Infinity"));

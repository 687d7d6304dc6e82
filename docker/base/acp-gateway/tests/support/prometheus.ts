export type Metric = { help: string; type: string; samples: Map<string, number> };

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABELS = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y;

/**
 * Reads the text format as Prometheus does, and throws where it would: samples by their name with its
 * labels, below the family they belong to.
 */
export function readMetrics(text: string): Map<string, Metric> {
  const families = new Map<string, Metric>();
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  let current: { name: string; metric: Metric } | undefined;
  const lines = text.slice(0, -1).split("\n");
  for (const [index, line] of lines.entries()) {
    const [, name = "", help = ""] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? [];
    if (name !== "") {
      if (families.has(name)) throw new Error(`${name} is there twice`);
      const [, type] = new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`).exec(lines[index + 1] ?? "") ?? [];
      if (type === undefined) throw new Error(`${name} has no type`);
      current = { name, metric: { help, type, samples: new Map() } };
      families.set(name, current.metric);
    } else if (!line.startsWith("# TYPE ")) {
      if (current === undefined) throw new Error(`a sample of nothing: ${line}`);
      readSample(line, current);
    }
  }
  for (const [name, metric] of families) if (metric.type === "histogram") checkHistogram(name, metric);
  return families;
}

function readSample(line: string, { name, metric }: { name: string; metric: Metric }): void {
  const [, found = "", labels = "", value = ""] =
    new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`).exec(line) ?? [];
  const suffixes = metric.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => found === name + suffix)) throw new Error(`not of ${name}: ${line}`);
  LABELS.lastIndex = 0;
  while (LABELS.lastIndex < labels.length) if (!LABELS.test(labels)) throw new Error(`labels of ${line}`);
  const key = labels === "" ? found : `${found}{${labels}}`;
  if (metric.samples.has(key)) throw new Error(`twice: ${key}`);
  metric.samples.set(key, Number(value));
}

/** Of each series: buckets that rise in bound and in count, up to +Inf, which is the count. */
function checkHistogram(name: string, { samples }: Metric): void {
  const series = new Map<string, { bound: number; count: number }>();
  for (const [key, count] of samples) {
    const labels = key.slice(key.indexOf("{") + 1, -1);
    if (key.startsWith(`${name}_bucket`)) {
      const [, others = "", le = ""] = /^(?:(.*),)?le="([^"]+)"$/.exec(labels) ?? [];
      const bound = le === "+Inf" ? Infinity : Number(le);
      const before = series.get(others) ?? { bound: -Infinity, count: 0 };
      if (!(bound > before.bound) || count < before.count) throw new Error(`out of order: ${key} ${count}`);
      series.set(others, { bound, count });
    } else {
      const last = series.get(key.includes("{") ? labels : "");
      if (last?.bound !== Infinity) throw new Error(`no +Inf before ${key}`);
      if (key.startsWith(`${name}_count`) && count !== last.count) throw new Error(`${key} is not its +Inf`);
    }
  }
  for (const labels of series.keys()) {
    for (const suffix of ["_sum", "_count"]) {
      const key = labels === "" ? name + suffix : `${name}${suffix}{${labels}}`;
      if (!samples.has(key)) throw new Error(`no ${key}`);
    }
  }
}

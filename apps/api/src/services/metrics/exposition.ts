export interface Sample {
  /** `bucket`, `sum` or `count` of a histogram. */
  part?: "bucket" | "sum" | "count";
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Family {
  /** Without the `_total` that a counter's samples end with. */
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  samples: Iterable<Sample>;
}

export type ExpositionFormat = "prometheus" | "openmetrics";

export const EXPOSITION_TYPES = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const satisfies Record<ExpositionFormat, string>;

/** What a scraper that sends this Accept header reads best. */
export function formatFor(accept: string | null): ExpositionFormat {
  return accept?.toLowerCase().includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus";
}

/** All families as Prometheus reads them, in either of its formats. */
export function expose(families: Iterable<Family>, format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    const sampleName = type === "counter" ? `${name}_total` : name;
    // OpenMetrics names a counter's family without the suffix of its samples.
    const familyName = format === "openmetrics" ? name : sampleName;
    lines.push(`# HELP ${familyName} ${escapeHelp(help, format)}`, `# TYPE ${familyName} ${type}`);
    for (const { part, labels, value } of samples) {
      lines.push(`${part === undefined ? sampleName : `${name}_${part}`}${labelsText(labels)} ${numberText(value)}`);
    }
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** The upper bound of a bucket, in the one form that OpenMetrics calls canonical. */
export function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function labelsText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

const escapeLabel = (text: string): string =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", String.raw`\n`)
    .replaceAll('"', String.raw`\"`);

function escapeHelp(text: string, format: ExpositionFormat): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", String.raw`\n`);
  return format === "openmetrics" ? escaped.replaceAll('"', String.raw`\"`) : escaped;
}

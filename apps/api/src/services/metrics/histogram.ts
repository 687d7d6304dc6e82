import { boundText, type Family, type Sample } from "./exposition.ts";

/** How long things of one kind took. Observing costs a few nanoseconds and never fails. */
export class Durations {
  private readonly bounds: readonly number[];
  /** One for each bound, and one for what is over all of them; not yet added up. */
  private readonly counts: Float64Array;
  private sum = 0;

  /** @param bounds upper limits in seconds, growing */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(ms: number): void {
    const seconds = ms / 1000;
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += seconds;
  }

  *samples(labels: Sample["labels"]): Generator<Sample> {
    let below = 0;
    for (const [bucket, count] of this.counts.entries()) {
      below += count;
      const bound = this.bounds[bucket];
      yield {
        part: "bucket",
        labels: { ...labels, le: bound === undefined ? "+Inf" : boundText(bound) },
        value: below,
      };
    }
    yield { part: "sum", labels, value: this.sum };
    yield { part: "count", labels, value: below };
  }
}

export interface HistogramOptions<Label extends string> {
  /** Ends in `_seconds`. */
  name: string;
  help: string;
  labels: readonly Label[];
  /** Upper limits in seconds, growing. */
  bounds: readonly number[];
}

/** Durations by labels. Their values must come from short, closed lists: each combination is kept for good. */
export function createHistogram<Label extends string>({ name, help, labels, bounds }: HistogramOptions<Label>) {
  const known = new Map<string, { values: Record<Label, string>; durations: Durations }>();
  return {
    of(values: Record<Label, string>): Durations {
      const key = labels.map((label) => values[label]).join("\0");
      let entry = known.get(key);
      if (entry === undefined) known.set(key, (entry = { values: { ...values }, durations: new Durations(bounds) }));
      return entry.durations;
    },

    family(): Family {
      const samples = [...known.values()].flatMap(({ values, durations }) => [...durations.samples(values)]);
      return { name, help, type: "histogram", samples };
    },
  };
}

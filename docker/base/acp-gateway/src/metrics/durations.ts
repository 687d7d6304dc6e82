import type { Sample } from "./exposition.ts";

/** Counts how long things of one kind took. `bounds` are in seconds and rise. */
export function createDurations(bounds: readonly number[]) {
  /** One for each bound, and one for what is above all of them; not yet added up. */
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;

  return {
    observe(seconds: number): void {
      const found = bounds.findIndex((bound) => seconds <= bound);
      const bucket = found === -1 ? bounds.length : found;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += seconds;
    },

    /** As a histogram has them. */
    samples(labels: Sample["labels"]): Sample[] {
      let below = 0;
      const buckets = Array.from(counts, (count, index) => {
        below += count;
        return { suffix: "_bucket", labels: { ...labels, le: String(bounds[index] ?? "+Inf") }, value: below };
      });
      return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: below }];
    },
  };
}

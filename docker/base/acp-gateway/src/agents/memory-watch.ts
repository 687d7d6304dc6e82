import type { Launched } from "./launcher.ts";
import { groupMemory } from "./proc.ts";

const LOOK_MS = 5000;
const FRESH_MS = 1000;
const MEBIBYTE = 1024 * 1024;

type MemoryWatchDeps = {
  /** What the processes of one agent may use together; null is without limit. */
  bytesMax: number | null;
  live: () => readonly Launched[];
  lookMs?: number;
};

/** Measures the memory of agents' process groups and ends those that use too much. */
export function createMemoryWatch({ bytesMax, live, lookMs = LOOK_MS }: MemoryWatchDeps) {
  let measured = new Map<number, number>();
  let measuredAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setInterval> | null = null;

  function look(): void {
    measured = groupMemory(new Set(live().map(({ process }) => process.pid)));
    measuredAt = performance.now();
    const max = bytesMax ?? Number.POSITIVE_INFINITY;
    for (const { process } of live()) {
      const used = measured.get(process.pid) ?? 0;
      if (used <= max) continue;
      process.end(
        `it used ${Math.round(used / MEBIBYTE)} MiB of memory where ${Math.round(max / MEBIBYTE)} are allowed`,
      );
    }
  }

  return {
    /** Called with every start: nothing is measured while no agent runs. */
    begin(): void {
      if (bytesMax === null || timer) return;
      timer = setInterval(() => {
        if (live().length > 0) return look();
        if (timer) clearInterval(timer);
        timer = null;
      }, lookMs);
    },

    /** Bytes in use by a group, not older than a second; null when it cannot be told. */
    used(pid: number): number | null {
      if (performance.now() - measuredAt > FRESH_MS) look();
      return measured.get(pid) ?? null;
    },

    close(): void {
      if (timer) clearInterval(timer);
    },
  };
}

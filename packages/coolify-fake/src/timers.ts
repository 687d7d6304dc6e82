export interface Timers {
  /** Returns what calls it off. */
  after(ms: number, act: () => void): () => void;
  /** Does what comes next, if time stands still; false when nothing is to come. */
  step(): boolean;
  /** Ends all at once, so that a closed fake leaves nothing behind. */
  clear(): void;
}

export function createTimers(): Timers {
  const running = new Set<ReturnType<typeof setTimeout>>();
  return {
    after(ms, act) {
      const timer = setTimeout(() => {
        running.delete(timer);
        act();
      }, ms);
      running.add(timer);
      return () => {
        clearTimeout(timer);
        running.delete(timer);
      };
    },
    step: () => false,
    clear() {
      for (const timer of running) clearTimeout(timer);
      running.clear();
    },
  };
}

/** Timers of a time that goes on by `step` alone, from one to the next, in the order in which they are due. */
export function createSteppedTimers(): Timers {
  const waiting = new Set<{ dueMs: number; act: () => void }>();
  let nowMs = 0;
  return {
    after(ms, act) {
      const timer = { dueMs: nowMs + ms, act };
      waiting.add(timer);
      return () => waiting.delete(timer);
    },
    step() {
      // Of those that are due at once, the one that was set first.
      const [next] = [...waiting].toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) return false;
      waiting.delete(next);
      nowMs = next.dueMs;
      next.act();
      return true;
    },
    clear: () => waiting.clear(),
  };
}

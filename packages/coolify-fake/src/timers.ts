/** Timers that can all be ended at once, so that a closed fake leaves nothing behind. */
export function createTimers() {
  const running = new Set<ReturnType<typeof setTimeout>>();
  return {
    /** Returns what calls it off. */
    after(ms: number, act: () => void): () => void {
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
    clear() {
      for (const timer of running) clearTimeout(timer);
      running.clear();
    },
  };
}

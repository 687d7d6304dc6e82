export interface WaitingReaders {
  /** Resolves at the next `wake`, or when the signal aborts. */
  next: (signal: AbortSignal) => Promise<void>;
  wake: () => void;
}

/** How many readers are woken in one turn of the event loop: each writes to its connection, for 10 to 15 µs. */
const perTurn = 8;

/**
 * Readers that wait for news. Many are woken a few at a time, so that other requests are answered in
 * between. News that comes meanwhile is told in a further round, which begins only after as long a
 * pause as the round before it took: however much happens, half of the time is left for other work.
 */
export function createWaitingReaders(): WaitingReaders {
  let waiting = new Set<() => void>();
  let isWaking = false;
  let hasNews = false;

  async function wakeInTurns(): Promise<void> {
    isWaking = true;
    while (hasNews) {
      hasNews = false;
      const woken = [...waiting];
      waiting = new Set();
      const startedAt = performance.now();
      for (const [index, resume] of woken.entries()) {
        if (index > 0 && index % perTurn === 0) await nextTurn();
        resume();
      }
      if (woken.length > perTurn) await Bun.sleep(performance.now() - startedAt);
    }
    isWaking = false;
  }

  return {
    wake() {
      hasNews = true;
      if (!isWaking) void wakeInTurns();
    },
    next: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const resume = () => {
          waiting.delete(resume);
          signal.removeEventListener("abort", resume);
          resolve();
        };
        signal.addEventListener("abort", resume, { once: true });
        waiting.add(resume);
      }),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

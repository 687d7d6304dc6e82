/** Callers that wait for one and the same thing. */
export type Waiters = { resolve(): void; reject(error: Error): void };

/** `take` hands over those who have waited so far; who comes later waits for the next. */
export function createWaiters() {
  let current: PromiseWithResolvers<void> | null = null;

  function take(): Waiters {
    const taken = current;
    current = null;
    return { resolve: () => taken?.resolve(), reject: (error) => taken?.reject(error) };
  }

  return {
    wait(): Promise<void> {
      current ??= Promise.withResolvers<void>();
      return current.promise;
    },
    take,
  };
}

/** What is to be called at the next commit with an event of a session, or of any (null). */
export function createWakes() {
  const waiting = new Map<string | null, Set<() => void>>();

  function call(key: string | null): void {
    const wakes = waiting.get(key);
    if (wakes === undefined) return;
    waiting.delete(key);
    for (const wake of wakes) wake();
  }

  return {
    /** Returns what takes it back. */
    add(key: string | null, wake: () => void): () => void {
      const wakes = waiting.get(key) ?? new Set();
      wakes.add(wake);
      waiting.set(key, wakes);
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0 && waiting.get(key) === wakes) waiting.delete(key);
      };
    },

    committed(sessionIds: Iterable<string>): void {
      for (const sessionId of sessionIds) call(sessionId);
      call(null);
    },

    all(): void {
      for (const key of waiting.keys()) call(key);
    },
  };
}

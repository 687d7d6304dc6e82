import { backoffMs, type RetryPolicy } from "./backoff.ts";

export interface RetryTurnsOptions {
  policy: Pick<RetryPolicy, "firstDelayMs" | "delayMsMax">;
  now: () => Date;
}

/** When what was tried before may be tried again: the first time at once, then ever more rarely. */
export function createRetryTurns({ policy, now }: RetryTurnsOptions) {
  /** Times in milliseconds since 1970. */
  const tried = new Map<string, { count: number; waitsUntil: number }>();

  return {
    hasTurn: (id: string): boolean => now().getTime() >= (tried.get(id)?.waitsUntil ?? 0),

    /** Call with each try. */
    take(id: string): void {
      const count = (tried.get(id)?.count ?? 0) + 1;
      tried.set(id, { count, waitsUntil: now().getTime() + backoffMs(count, policy) });
    },

    /**
     * Forgets what is fine, once it stayed so for the longest pause: what comes up and ends again soon
     * after would else be tried for ever without one.
     */
    forget(isFine: (id: string) => boolean): void {
      const time = now().getTime() - policy.delayMsMax;
      for (const [id, { waitsUntil }] of tried) if (waitsUntil <= time && isFine(id)) tried.delete(id);
    },
  };
}

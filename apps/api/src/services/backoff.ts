export interface RetryPolicy {
  attemptsMax: number;
  firstDelayMs: number;
  delayMsMax: number;
  /** What asks to be left alone for longer than this is asked again all the same; 2 minutes when absent. */
  retryAfterMsMax?: number;
}

/** Exponential with full jitter, so that what failed together does not come back together. */
export function backoffMs(
  attempt: number,
  policy: Pick<RetryPolicy, "firstDelayMs" | "delayMsMax">,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** (attempt - 1));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** Resolves after the time, or as soon as the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
  });
}

/** The answer, unless the signal aborts first: then nobody waits for it any more. @throws the signal's reason */
export function unlessAborted<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

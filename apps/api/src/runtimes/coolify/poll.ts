import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../runtime.ts";

/** So many failed looks in a row are no hiccup any more. */
const FAILURES_MAX = 5;

export interface PollOptions {
  pollMs: number;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** What is waited for, for the message: `the deployment to end`. */
  waitingFor: string;
}

/**
 * Looks until the answer is not undefined. A look that fails for something that may pass is made again.
 * @throws RuntimeError `timeout` when the time is over or `signal` aborts, and whatever `look` throws
 */
export async function poll<Value>(
  look: () => Promise<Value | undefined>,
  { pollMs, timeoutMs, signal, waitingFor }: PollOptions,
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  let failed = 0;
  for (;;) {
    failWhenAborted(signal, waitingFor);
    let pauseMs = pollMs;
    try {
      const value = await look();
      if (value !== undefined) return value;
      failed = 0;
    } catch (error) {
      failWhenAborted(signal, waitingFor);
      failed += 1;
      if (!isTransient(error) || failed >= FAILURES_MAX) throw error;
      pauseMs = Math.max(pollMs, error.retryAfterMs ?? 0);
    }
    if (performance.now() + pauseMs > deadline) {
      throw new RuntimeError("timeout", `waited ${Math.round(timeoutMs / 1000)} s for ${waitingFor}`);
    }
    // An abort is told apart at the top of the loop.
    await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

/** What failed for something that may pass is tried a few times more. */
export function persist<Value>(attempt: () => Promise<Value>, options: PollOptions): Promise<Value> {
  return poll(async () => ({ value: await attempt() }), options).then(({ value }) => value);
}

export function isTransient(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && (error.failure === "unavailable" || error.failure === "timeout");
}

function failWhenAborted(signal: AbortSignal | undefined, waitingFor: string): void {
  if (signal?.aborted) throw new RuntimeError("timeout", `stopped waiting for ${waitingFor}`, { cause: signal.reason });
}

import { CoolifyError } from "./errors.ts";

/** Sleeps for `ms` and rejects as soon as `signal` aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Coolify's window is fixed: one minute from its first request. */
const WINDOW_MS = 60_000;
/** Below this share of the limit, requests are spread over the rest of the window. */
const SCARCE_SHARE = 0.1;

/**
 * One clock for all calls of a client: when Coolify says wait, or little of the window is left, all of them wait
 * together instead of finding out one by one.
 */
export function createThrottle({ throttleMsMax, sleep }: { throttleMsMax: number; sleep: Sleep }) {
  /** Set by a 429. */
  let pausedUntil = 0;
  /** Set while little is left. */
  let pacedUntil = 0;
  let gapMs = 0;
  let remainingLast: number | null = null;
  let windowEndsAt = 0;

  /** Waits for this call's turn; returns what it has waited in all, in milliseconds. */
  async function turn(waitedMs: number, signal: AbortSignal | undefined): Promise<number> {
    let waited = waitedMs;
    let now = Date.now();
    for (;;) {
      const ms = Math.max(pausedUntil, pacedUntil) - now;
      if (ms <= 0) break;
      if (waited + ms > throttleMsMax) {
        throw new CoolifyError("rate_limited", "Coolify's rate limit is used up; nothing was sent.", {
          retryAfterMs: ms,
        });
      }
      await sleep(ms, signal);
      waited += ms;
      now = Math.max(Date.now(), now + ms);
    }
    if (now >= windowEndsAt) gapMs = 0;
    if (gapMs > 0) pacedUntil = now + gapMs;
    return waited;
  }

  /** A 429 of the rate limit: nobody sends before then. */
  function pause(ms: number): void {
    pausedUntil = Math.max(pausedUntil, Date.now() + ms);
  }

  /** Learns from an answer's `X-RateLimit-*` headers. */
  function observe(headers: Headers): void {
    const remaining = count(headers.get("x-ratelimit-remaining"));
    const limit = count(headers.get("x-ratelimit-limit"));
    if (remaining === null || limit === null) return;
    const now = Date.now();
    // Answers overtake each other, so that only a leap upwards means a new window.
    const isNew = remainingLast === null || remaining > remainingLast + limit / 2;
    if (isNew || now >= windowEndsAt) windowEndsAt = now + WINDOW_MS;
    remainingLast = remaining;
    gapMs = remaining <= limit * SCARCE_SHARE ? Math.ceil((windowEndsAt - now) / (remaining + 1)) : 0;
    pacedUntil = gapMs === 0 ? 0 : Math.max(pacedUntil, now + gapMs);
  }

  return { turn, pause, observe };
}

function count(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** The default `sleep`. */
export function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => {
    clearTimeout(timer);
    reject(new CoolifyError("aborted", "The call to Coolify was given up while it waited for the rate limit."));
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", stop);
    resolve();
  }, ms);
  if (signal?.aborted === true) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  return promise;
}

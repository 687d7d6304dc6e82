import type { Answer } from "./answer.ts";

const MINUTE_MS = 60_000;
const DEFAULT_LIMIT = 200;

/** A fixed window of a minute from its first request, shared by all tokens. Without a limit it only tells numbers. */
export function createThrottle(perMinute: number | null) {
  let endsAt = 0;
  let used = 0;
  return {
    /** The answer that refuses this request, or null. */
    count(now: number): Answer | null {
      if (perMinute === null) return null;
      if (now >= endsAt) {
        endsAt = now + MINUTE_MS;
        used = 0;
      }
      if (used >= perMinute) return tooMany(Math.max(1, Math.ceil((endsAt - now) / 1000)), endsAt, perMinute);
      used++;
      return null;
    },
    headers: (): Record<string, string> => limitHeaders(perMinute ?? DEFAULT_LIMIT, used),
  };
}

/** The refusal of a rate limit, for real and as a fault. */
export function tooMany(retryAfterSeconds: number, resetAtMs: number, limit = DEFAULT_LIMIT): Answer {
  return {
    status: 429,
    json: { message: "Too Many Attempts." },
    headers: {
      ...limitHeaders(limit, limit),
      "retry-after": String(retryAfterSeconds),
      "x-ratelimit-reset": String(Math.ceil(resetAtMs / 1000)),
    },
  };
}

function limitHeaders(limit: number, used: number): Record<string, string> {
  return { "x-ratelimit-limit": String(limit), "x-ratelimit-remaining": String(Math.max(0, limit - used)) };
}

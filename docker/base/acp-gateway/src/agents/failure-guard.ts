import { GatewayError } from "../gateway-error.ts";

export type FailureTiming = {
  backoffMs: readonly [first: number, longest: number];
  /** So many failures in the window keep the agent from being started for a while. */
  failuresMax: number;
  windowMs: number;
  openMs: number;
};

type FailureGuardDeps = FailureTiming & { agentId: string; now: () => number; random?: () => number };

export type FailureGuard = ReturnType<typeof createFailureGuard>;

/** Keeps an agent that fails again and again from being started again and again. */
export function createFailureGuard(deps: FailureGuardDeps) {
  const { agentId, backoffMs, failuresMax, windowMs, openMs, now, random = Math.random } = deps;
  let failures: number[] = [];
  let inRow = 0;
  let startAt = 0;
  let openUntil = 0;

  return {
    /** @throws GatewayError agent_unavailable while nothing may be started */
    check(): void {
      const ms = openUntil - now();
      if (ms <= 0) return;
      const retryAfterSeconds = Math.ceil(ms / 1000);
      throw new GatewayError(
        "agent_unavailable",
        `${agentId} failed ${failuresMax} times in ${windowMs / 1000} s; it may be started again in ${retryAfterSeconds} s`,
        { retryAfterSeconds },
      );
    },

    /** How long the next start should wait. */
    delayMs: (): number => Math.max(0, startAt - now()),

    failed(): void {
      const at = now();
      // A failure long after the last one is no series.
      inRow = (failures.at(-1) ?? Number.NEGATIVE_INFINITY) < at - windowMs ? 1 : inRow + 1;
      failures = [...failures.filter((time) => time > at - windowMs), at];
      const [first, longest] = backoffMs;
      const wait = Math.min(longest, first * 2 ** (inRow - 1));
      startAt = at + wait * (0.75 + random() * 0.25);
      if (failures.length >= failuresMax) openUntil = at + openMs;
    },
  };
}

import type { LimitFunction } from "p-limit";

/** Runs the work when it is its turn. One that is cancelled before has nothing to let go of, and ends at once. */
export function inTurn(lane: LimitFunction, cancelled: AbortSignal, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve();
    cancelled.addEventListener("abort", leave, { once: true });
    const begin = (): Promise<void> => {
      cancelled.removeEventListener("abort", leave);
      return work();
    };
    lane(begin).then(resolve, reject);
  });
}

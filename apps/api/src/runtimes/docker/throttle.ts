/** Lets a call through at most every `everyMs`; what comes in between is dropped. */
export function throttle<Args extends unknown[]>(
  everyMs: number,
  call: (...args: Args) => void,
): (...args: Args) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (...args) => {
    const now = performance.now();
    if (now - lastAt < everyMs) return;
    lastAt = now;
    call(...args);
  };
}

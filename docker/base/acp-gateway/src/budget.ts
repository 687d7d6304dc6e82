/** A bucket that holds one minute's worth and fills again steadily. */
export function createBudget(perMinute: number, now: () => number) {
  const perMs = perMinute / 60_000;
  let left = perMinute;
  let at = now();

  return {
    /** Takes one: 0. Where there is none: the seconds until there is. */
    take(): number {
      const time = now();
      // A clock that was set back takes nothing away.
      left = Math.min(perMinute, left + Math.max(0, time - at) * perMs);
      at = time;
      if (left < 1) return (1 - left) / perMs / 1000;
      left -= 1;
      return 0;
    },
  };
}

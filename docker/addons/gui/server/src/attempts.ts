const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 1000;

export interface Attempts {
  /** Seconds this address has to wait before it may try again; 0 when it may try now. */
  secondsToWait: (address: string) => number;
  failed: (address: string) => void;
}

/**
 * Slows guessing down: ten wrong passwords a minute from one address.
 * @param now milliseconds
 */
export function createAttempts({ now }: { now: () => number }): Attempts {
  const windows = new Map<string, { end: number; failures: number }>();

  function windowOf(address: string) {
    const window = windows.get(address);
    if (window && window.end > now()) return window;
    windows.delete(address);
    return undefined;
  }

  return {
    secondsToWait(address) {
      const window = windowOf(address);
      if (!window || window.failures < FAILURES_MAX) return 0;
      return Math.ceil((window.end - now()) / 1000);
    },
    failed(address) {
      const window = windowOf(address);
      if (window) {
        window.failures += 1;
        return;
      }
      const [oldest] = windows.keys();
      if (oldest !== undefined && windows.size >= ADDRESSES_MAX) windows.delete(oldest);
      windows.set(address, { end: now() + WINDOW_MS, failures: 1 });
    },
  };
}

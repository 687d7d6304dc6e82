type StallOptions = {
  /** Bytes the client has not taken yet. */
  unsent: () => number;
  /** From here on it is waited for. */
  full: number;
  stallMs: number;
  /** It has taken enough to be given more. */
  onRoom: () => void;
  onStall: () => void;
};

/** Watches a client that is behind: looks each second at most, and only while it is. */
export function createStallWatch({ unsent, full, stallMs, onRoom, onStall }: StallOptions) {
  let timer: Timer | undefined;
  let ended = false;
  let progressAt = performance.now();

  function look(before: number): void {
    timer = undefined;
    const now = unsent();
    if (now < before) progressAt = performance.now();
    if (now < full) onRoom();
    else if (performance.now() - progressAt < stallMs) watch();
    else onStall();
  }

  function watch(): void {
    if (timer || ended) return;
    const before = unsent();
    timer = setTimeout(() => look(before), Math.min(1000, stallMs / 4));
  }

  return {
    /** The client is behind. */
    watch,
    /** Something could be given to it. */
    moved(): void {
      progressAt = performance.now();
    },
    end(): void {
      ended = true;
      clearTimeout(timer);
    },
  };
}

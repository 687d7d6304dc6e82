import type { Feed } from "./feed.ts";

export type Emit = (json: string) => void;

/** What waits for one stream of a client: messages, and behind them a session's cursor. */
export type Lane = {
  feed: Feed | null;
  /** Somebody reads it (HTTP only: over a WebSocket the socket reads all lanes). */
  taken: boolean;
  readonly empty: boolean;
  push(json: string): void;
  /** Gives what there is, about `maxBytes` of it; false when there is nothing now. */
  pull(emit: Emit, maxBytes: number): boolean;
  /** Drops what waits. */
  clear(): void;
  /** Called whenever `pull` may give something again. */
  onWork: (() => void) | null;
};

/** Counts what waits in all lanes of a connection. */
export type Held = { bytes: number };

export function createLane(held: Held): Lane {
  let queue: string[] = [];

  const lane: Lane = {
    feed: null,
    taken: false,
    onWork: null,
    get empty() {
      return queue.length === 0;
    },
    push(json) {
      queue.push(json);
      held.bytes += json.length;
      lane.onWork?.();
    },
    pull(emit, maxBytes) {
      if (queue.length > 0) {
        // Taken whole: what is emitted may put more in.
        const messages = queue;
        queue = [];
        for (const json of messages) {
          held.bytes -= json.length;
          emit(json);
        }
        return true;
      }
      return lane.feed?.pull(emit, maxBytes) ?? false;
    },
    clear() {
      for (const json of queue) held.bytes -= json.length;
      queue = [];
    },
  };
  return lane;
}

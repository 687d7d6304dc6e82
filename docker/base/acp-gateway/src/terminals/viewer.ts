import type { TerminalNotice } from "../wire/index.ts";
import type { Scrollback } from "./scrollback.ts";

/** How a viewer is reached. */
export type ViewerSocket = {
  send(data: string | Uint8Array): unknown;
  /** Bytes that were sent and have not left yet. */
  waiting(): number;
  close(code: number, reason: string): void;
};

const CHUNK_BYTES = 64 * 1024;
const WAITING_BYTES_MAX = 256 * 1024;
const TRY_AGAIN_LATER = 1013;
const NORMAL = 1000;

export type Viewer = ReturnType<typeof createViewer>;

type ViewerDeps = {
  socket: ViewerSocket;
  scrollback: Scrollback;
  /** The byte of all output it wants to begin with. */
  after: number;
  stallMs: number;
};

/**
 * One who watches a terminal: a place in the scrollback that moves on as fast as the socket takes it.
 * One that is too slow misses what the scrollback has lost meanwhile, is told how much, and holds up nobody.
 */
export function createViewer({ socket, scrollback, after, stallMs }: ViewerDeps) {
  let position = scrollback.entrance(after);
  let ended: TerminalNotice | undefined;
  let stalled: ReturnType<typeof setTimeout> | undefined;

  function pump(): void {
    while (position < scrollback.end()) {
      if (socket.waiting() >= WAITING_BYTES_MAX) {
        stalled ??= setTimeout(() => socket.close(TRY_AGAIN_LATER, "the output was not read"), stallMs);
        return;
      }
      skipLost();
      const chunk = scrollback.read(position, CHUNK_BYTES);
      socket.send(chunk);
      position += chunk.length;
    }
    settle();
    if (!ended) return;
    tell(ended);
    ended = undefined;
    socket.close(NORMAL, "the program has ended");
  }

  function skipLost(): void {
    const offset = scrollback.entrance(position);
    if (offset === position) return;
    tell({ type: "gap", bytes: offset - position, offset });
    position = offset;
  }

  function tell(notice: TerminalNotice): void {
    socket.send(JSON.stringify(notice));
  }

  function settle(): void {
    clearTimeout(stalled);
    stalled = undefined;
  }

  return {
    /** Where its output begins. */
    offset: position,
    pump,
    tell,
    /** The socket takes more again. */
    drained(): void {
      settle();
      pump();
    },
    /** The last thing it is told, once it has all output. */
    end(notice: TerminalNotice): void {
      ended = notice;
      pump();
    },
    close: (code: number, reason: string) => socket.close(code, reason),
    gone: settle,
  };
}

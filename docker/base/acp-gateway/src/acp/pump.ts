import { logLine } from "../log.ts";
import type { Connection } from "./connection.ts";
import type { AcpLimits } from "./limits.ts";
import { createStallWatch } from "./stall.ts";

/** What a WebSocket is to this part. */
export type AcpSocket = {
  /** Bytes sent, -1 when they wait, 0 when they were dropped. */
  send(text: string): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(): number;
  cork<T>(callback: () => T): T;
  getBufferedAmount(): number;
};

/** Taken of one lane before the next has its turn. */
const PIECE = 64 * 1024;
/** Given before others in the process have their turn. */
const ROUND = 1024 * 1024;
/** For a client that does not even take the close frame. */
const CLOSE_GRACE_MS = 5000;

type PumpLimits = Pick<AcpLimits, "socketBytes" | "stallMs" | "pingMs">;

/**
 * Gives a socket what its connection's lanes have, as long as it takes it: above `socketBytes` unsent
 * the cursors stand still, and a client that takes nothing for `stallMs` is closed with 1013.
 */
export function createPump(connection: Connection, socket: AcpSocket, limits: PumpLimits) {
  let scheduled = false;
  let stopped = false;
  let dropped = false;
  let grace: Timer | undefined;
  const pings = setInterval(() => void socket.ping(), limits.pingMs);
  const stall = createStallWatch({
    unsent: () => socket.getBufferedAmount(),
    full: limits.socketBytes,
    stallMs: limits.stallMs,
    onRoom: schedule,
    onStall: () => stop(1013, "the client reads nothing"),
  });
  const emit = (json: string) => {
    if (socket.send(json) === 0) dropped = true;
  };

  function run(): void {
    scheduled = false;
    if (stopped) return;
    try {
      socket.cork(give);
    } catch (error) {
      logLine("a socket of /acp failed", { reason: error instanceof Error ? error.stack : String(error) });
      stop(1011, "internal error");
    }
    if (dropped) stop(1011, "a message could not be sent");
  }

  function give(): void {
    let budget = ROUND;
    for (;;) {
      let gave = false;
      for (const lane of [connection.main, ...connection.lanes.values()]) {
        if (isFull()) return stall.watch();
        if (!lane.pull(emit, PIECE)) continue;
        gave = true;
        stall.moved();
        budget -= PIECE;
      }
      if (stopped || dropped || !gave) return;
      if (budget <= 0) return schedule();
    }
  }

  function isFull(): boolean {
    return socket.getBufferedAmount() >= limits.socketBytes;
  }

  function schedule(): void {
    if (scheduled || stopped) return;
    scheduled = true;
    setImmediate(run);
  }

  function stop(code: number, reason: string): void {
    if (stopped) return;
    stopped = true;
    stall.end();
    clearInterval(pings);
    socket.close(code, reason);
    grace = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  }

  return {
    schedule,
    /** The socket has room again. */
    drained(): void {
      if (!isFull()) schedule();
    },
    stop,
    /** The socket is closed. */
    end(): void {
      stopped = true;
      stall.end();
      clearTimeout(grace);
      clearInterval(pings);
    },
  };
}

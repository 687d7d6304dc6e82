import { closeSync, openSync, readFileSync } from "node:fs";
import type { SocketCalls } from "./socket-calls.ts";

/** One sandbox needs far fewer. More are not kept for those who ask nothing, even where files are without limit. */
const DESCRIPTORS_MAX = 10_000;
const LOOKED_AT_MAX = 65_536;
const LOOK_MS = 500;
const LOG_MS = 60_000;

type IdleConnectionsDeps = {
  calls: SocketCalls;
  /** What the gateway listens on. */
  port: number;
  /** Of the clients whose requests are being answered. */
  busyPorts: () => ReadonlySet<number>;
  log: (message: string, fields: Record<string, unknown>) => void;
};

/**
 * Ends connections that were never answered and have nothing that is being answered, once descriptors get
 * scarce: a silent client could hold them all else, and nobody new would be heard.
 */
export function endIdleConnections({ calls, port, busyPorts, log }: IdleConnectionsDeps): void {
  const limit = descriptorLimit();
  const most = Math.min(DESCRIPTORS_MAX, Math.floor(limit * 0.875));
  let suspects = new Set<string>();
  let loggedAt = Number.NEGATIVE_INFINITY;

  function look(): void {
    const unanswered = lowestFree() > most ? findUnanswered() : new Map<string, number>();
    const ended = [...unanswered].filter(([key]) => suspects.has(key));
    suspects = new Set(unanswered.keys());
    for (const [, descriptor] of ended) calls.shutDown(descriptor);
    if (ended.length === 0 || performance.now() - loggedAt < LOG_MS) return;
    loggedAt = performance.now();
    log("descriptors get scarce: connections that ask nothing are ended", { limit, ended: ended.length });
  }

  /** By descriptor and client, so that a later connection is not taken for an earlier one. */
  function findUnanswered(): Map<string, number> {
    const found = new Map<string, number>();
    const busy = busyPorts();
    for (let descriptor = 0; descriptor < Math.min(limit, LOOKED_AT_MAX); descriptor += 1) {
      if (calls.localPort(descriptor) !== port) continue;
      const peer = calls.peerPort(descriptor);
      if (peer === undefined || busy.has(peer) || calls.hasBeenAnswered(descriptor)) continue;
      found.set(`${descriptor} ${peer}`, descriptor);
    }
    return found;
  }

  setInterval(look, LOOK_MS).unref();
}

/** The number that the next file would have: all below it are in use. */
function lowestFree(): number {
  try {
    const descriptor = openSync("/dev/null", "r");
    closeSync(descriptor);
    return descriptor;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? LOOKED_AT_MAX : Number(soft);
}

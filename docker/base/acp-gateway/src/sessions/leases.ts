import type { AgentHandle, StartAgent } from "../types.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { emit, persist, type SessionContext } from "./context.ts";
import { hasCode } from "./failure.ts";
import type { Connection, Lease, LiveSession } from "./live-session.ts";
import { objectOf } from "./json.ts";

const ROOM_POLL_MS = 1000;
const CLOSE_MS = 5000;

export type Leases = ReturnType<typeof createLeases>;

/** The processes sessions work in: taken, given back, and made room for. */
export function createLeases(context: SessionContext) {
  const waiting = new Set<() => void>();
  const ending = new Set<Promise<unknown>>();

  /** Someone may start a process now. */
  function freed(): void {
    for (const wake of waiting) wake();
  }

  async function settle(end: Promise<unknown>): Promise<void> {
    try {
      await end;
    } catch (error) {
      context.report("a process could not be ended", { reason: String(error) });
    }
  }

  function track(end: Promise<unknown>): Promise<void> {
    const tracked = settle(end).finally(() => {
      ending.delete(tracked);
      freed();
    });
    ending.add(tracked);
    return tracked;
  }

  function take(session: LiveSession): Connection | null {
    const { connection } = session;
    session.connection = null;
    connection?.detach();
    return connection;
  }

  async function endShare({ lease, agentSessionId }: Connection, { record }: LiveSession): Promise<void> {
    lease.users -= 1;
    const shared = lease.users > 0 || context.agents.entry(record.agent)?.process === "shared";
    const { sessionCapabilities } = record.capabilities;
    if (shared && (objectOf(sessionCapabilities)["close"] ?? null) !== null) {
      // The process lives on; what the session held in it need not.
      await lease.handle
        .request("session/close", { sessionId: agentSessionId }, { timeoutMs: CLOSE_MS })
        .catch(() => {});
    }
    if (lease.users === 0) await lease.handle.stop();
  }

  /** Ends the session's process in order, if it is nobody else's. */
  function release(session: LiveSession): Promise<void> {
    const connection = take(session);
    if (connection) session.stopping = track(endShare(connection, session));
    return session.stopping ?? Promise.resolve();
  }

  function tellDormant(session: LiveSession): void {
    emit(context, session, "session_updated", { status: "dormant" });
    persist(context, session, false);
  }

  /** The session idle for the longest, with nobody looking at it, gives its process up. */
  async function reapOne(): Promise<boolean> {
    const [oldest] = [...context.sessions.values()].filter(isIdle).toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
    if (!oldest) return false;
    const end = release(oldest);
    tellDormant(oldest);
    await end;
    return true;
  }

  return {
    freed,
    release,

    /** One fewer works in the process; the last one ends it. */
    giveBack(lease: Lease): void {
      lease.users -= 1;
      if (lease.users === 0) void track(lease.handle.stop());
    },

    /** Ends a process that no session has taken; at once when its start was given up. */
    drop: (handle: AgentHandle, { atOnce }: { atOnce: boolean }): Promise<void> => track(handle.stop({ atOnce })),

    /** Ends the session's process at once: it does not hear. */
    kill(session: LiveSession): void {
      const connection = take(session);
      if (!connection) return;
      session.stopping = track(connection.lease.handle.kill());
      if (!session.record.closed) tellDormant(session);
    },

    async start(options: StartAgent): Promise<AgentHandle> {
      for (;;) {
        try {
          return await context.agents.start(options);
        } catch (error) {
          // Where several sessions share a process, only the last of them makes room.
          if (!hasCode(error, "too_many_processes") || !(await unlessAborted(reapOne(), options.signal))) throw error;
        }
      }
    },

    /** Resolves when a process has ended, or after a moment. */
    room(): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ROOM_POLL_MS);
      waiting.add(resolve);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(resolve);
      });
    },

    /** Resolves when every process that was told to end has ended. */
    settled: () => Promise.all(ending),
  };
}

/** Its process does nothing, nobody looks, and nobody is waited for. */
export const isIdle = (session: LiveSession): boolean =>
  session.connection !== null &&
  session.running === null &&
  session.queue.length === 0 &&
  session.clients === 0 &&
  session.permissions.size + session.elicitations.size === 0 &&
  session.calls === 0;

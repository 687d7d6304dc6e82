import { GatewayError } from "../gateway-error.ts";
import type { Session } from "../wire/index.ts";
import { emit, persist, type SessionContext } from "./context.ts";
import type { Leases } from "./leases.ts";
import type { LiveSession } from "./live-session.ts";
import { objectOf } from "./json.ts";
import type { PromptQueue } from "./prompt-queue.ts";
import type { SessionBook } from "./session-book.ts";
import type { Turns } from "./turn.ts";

const DELETE_MS = 2000;

type Parts = { context: SessionContext; book: SessionBook; queue: PromptQueue; turns: Turns; leases: Leases };
/** How sessions end: closed by a caller, removed with their log, or with the gateway. */
export function createEnding({ context, book, queue, turns, leases }: Parts) {
  /** The turn's agent may finish within the grace; then the turn is over without it. */
  async function endTurn(session: LiveSession, graceMs: number): Promise<void> {
    const { running } = session;
    if (!running) return;
    turns.cancel(session, running, graceMs);
    await Promise.race([running.ended, Bun.sleep(graceMs)]);
    turns.end(session, running, { status: "cancelled", stopReason: "cancelled", forced: true });
  }

  /** One after the other: each must find what the one before has left. */
  async function alone<Result>(session: LiveSession, work: () => Promise<Result>): Promise<Result> {
    const mine = session.ending ? session.ending.then(work, work) : work();
    session.ending = mine;
    try {
      return await mine;
    } finally {
      if (session.ending === mine) session.ending = null;
    }
  }

  /** An agent that is being started for the session is not needed any more, and may never answer. */
  async function endOpening({ opening }: LiveSession, reason: GatewayError): Promise<void> {
    if (opening) await Promise.race([opening.abandon(reason), Bun.sleep(context.timing.closeGraceMs)]);
  }

  async function close(session: LiveSession): Promise<Session> {
    if (!session.record.closed) {
      session.closing = true;
      session.record.closed = true;
      session.record.error = null;
      queue.cancelQueued(session);
      await endTurn(session, context.timing.closeGraceMs);
      await endOpening(session, new GatewayError("session_closed", "the session was closed meanwhile"));
      void leases.release(session);
      session.closing = false;
      emit(context, session, "session_closed", {});
      persist(context, session);
    }
    await context.log.settled();
    return book.view(session);
  }

  async function remove(session: LiveSession): Promise<void> {
    if (!session.removed) {
      session.closing = !session.record.closed;
      session.record.closed = true;
      queue.cancelQueued(session);
      await endTurn(session, 0);
      await endOpening(session, new GatewayError("session_closed", "the session was deleted meanwhile"));
      await forgetInAgent(session);
      // Nobody hears the process any more; its end need not be waited for.
      void leases.release(session);
      session.removed = true;
      context.sessions.delete(session.record.id);
      context.log.stageWrite((db) => context.stores.sessions.remove(db, session.record.id));
      context.log.remove(session.record.id);
      context.log.commitSoon();
    }
    await context.log.settled();
  }

  /** The agent keeps sessions too; one that can delete them is asked to, and not waited for long. */
  async function forgetInAgent({ connection, record }: LiveSession): Promise<void> {
    const { sessionCapabilities } = record.capabilities;
    if (!connection || (objectOf(sessionCapabilities)["delete"] ?? null) === null) return;
    const { handle } = connection.lease;
    await handle
      .request("session/delete", { sessionId: connection.agentSessionId }, { timeoutMs: DELETE_MS })
      .catch(() => {});
  }

  /** What runs is interrupted, what waits stays for the next start. */
  async function interrupt(session: LiveSession): Promise<void> {
    const { running } = session;
    if (running) {
      turns.cancel(session, running, context.timing.closeGraceMs);
      await Promise.race([running.ended, Bun.sleep(context.timing.closeGraceMs)]);
      turns.end(session, running, { status: "interrupted" });
    }
    await leases.release(session);
  }

  return {
    close: (session: LiveSession) => alone(session, () => close(session)),
    remove: (session: LiveSession) => alone(session, () => remove(session)),

    /** Gives up a start that nothing waits for any more but callers who asked for it alone. */
    async cancelStart(session: LiveSession): Promise<void> {
      if (session.running || session.queue.length > 0) return;
      await endOpening(session, new GatewayError("agent_exited", "the start of the agent was cancelled"));
    },

    async shutdown(): Promise<void> {
      context.shuttingDown = true;
      const reason = new GatewayError("shutting_down", "the gateway is shutting down");
      const starts = [...context.starts].map((start) => start.abandon(reason));
      await Promise.all([...context.sessions.values()].map(interrupt));
      await Promise.all(starts);
      await leases.settled();
      // A disk that is full has been told of; what is staged is written if there is room in the end.
      await context.log.settled().catch(() => {});
      context.ended = true;
    },
  };
}

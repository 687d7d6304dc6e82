import type { SessionManager } from "../types.ts";
import type { SessionContext } from "./context.ts";
import type { LiveSession } from "./live-session.ts";

/** What the sessions do at this moment, in numbers. `everywhere` counts clients attached to all of them. */
export function activityOf(context: SessionContext, everywhere: number): ReturnType<SessionManager["activity"]> {
  const sessions = [...context.sessions.values()];
  const sum = (count: (session: LiveSession) => number) => sessions.reduce((total, one) => total + count(one), 0);
  const turnsRunning = sum(({ running }) => (running === null ? 0 : 1));
  const promptsQueued = sum(({ queue }) => queue.length);
  const permissionsPending = sum(({ permissions }) => permissions.size);
  const elicitationsPending = sum(({ elicitations }) => elicitations.size);
  const clientsAttached = sum(({ clients }) => clients) + everywhere;
  const busy =
    turnsRunning + promptsQueued + permissionsPending + elicitationsPending + clientsAttached + context.creating;
  return {
    idle: busy === 0,
    sessions: sessions.length,
    turnsRunning,
    promptsQueued,
    permissionsPending,
    elicitationsPending,
    clientsAttached,
    agentsRunning: context.agents.running().length,
    lastSeq: context.log.lastSeq(),
    lastEventAt: context.log.stats().lastEventAt,
  };
}

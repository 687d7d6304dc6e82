import type { SessionContext } from "./context.ts";
import type { LiveSession } from "./live-session.ts";

/** Counts who looks on. A client of one session keeps its agent up; one of all sessions keeps none. */
export function createClients(context: SessionContext) {
  let all = 0;

  function count(session: LiveSession | null, change: 1 | -1): void {
    if (!session) {
      all += change;
      return;
    }
    session.clients += change;
    session.lastUsedMs = context.now();
  }

  return {
    toAll: () => all,

    /** Until the returned function is called; null for all sessions. */
    attach(session: LiveSession | null): () => void {
      let attached = true;
      count(session, 1);
      return () => {
        if (attached) count(session, -1);
        attached = false;
      };
    },
  };
}

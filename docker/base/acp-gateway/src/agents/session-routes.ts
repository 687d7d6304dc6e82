import type { AgentSessionHandlers } from "../types.ts";
import type { AgentCounters } from "./counters.ts";

const UNKNOWN_SESSIONS_MAX = 64;
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;
/** Of an id that is remembered before anybody has attached to it. */
const ID_LENGTH_MAX = 1024;

/** What the lines of most agents start with; what follows is the session's id. */
export const UPDATE_PREFIX = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"';

/** Where the messages of one session of an agent go. */
export type SessionRoute = {
  /** All of an update's line that stands before the update. */
  readonly prefix: string;
  /** The last of its updates had the params' `_meta` behind it. */
  endsWithMeta: boolean;
  /** Null until somebody attaches, and again after that ended. */
  handlers: AgentSessionHandlers | null;
  backlog: ((handlers: AgentSessionHandlers) => void)[];
  /** The agent has made it for us, so somebody will attach to it. */
  expected: boolean;
  /** It was attached once: nothing more is kept for it. */
  ended: boolean;
};

/**
 * The sessions of one process. What comes for a session before anyone attached to it, such as the
 * updates behind the answer to session/new, is kept within bounds.
 */
export function createSessionRoutes(counters: AgentCounters) {
  const routes = new Map<string, SessionRoute>();
  let unknown = 0;
  let backlogBytes = 0;

  function add(id: string): SessionRoute {
    const prefix = `${UPDATE_PREFIX}${JSON.stringify(id).slice(1, -1)}","update":`;
    const route: SessionRoute = {
      prefix,
      endsWithMeta: false,
      handlers: null,
      backlog: [],
      expected: false,
      ended: false,
    };
    routes.set(id, route);
    return route;
  }

  return {
    find: (id: string): SessionRoute | undefined => routes.get(id),

    /** The route of an id; for one never heard of only as long as there are few of those. */
    findOrAdd(id: string): SessionRoute | undefined {
      const known = routes.get(id);
      if (known || unknown >= UNKNOWN_SESSIONS_MAX || id.length > ID_LENGTH_MAX) return known;
      unknown += 1;
      return add(id);
    },

    /** The agent has answered that it made this session. */
    expect(id: string): void {
      if (!routes.has(id)) unknown += 1;
      (routes.get(id) ?? add(id)).expected = true;
    },

    /** Keeps a message for a session that is not attached yet; false when it is lost. */
    keep(route: SessionRoute | undefined, bytes: number, deliver: (handlers: AgentSessionHandlers) => void): boolean {
      if (!route || route.ended || backlogBytes + bytes > BACKLOG_BYTES_MAX) {
        counters.droppedMessages += 1;
        return false;
      }
      backlogBytes += bytes;
      route.backlog.push((handlers) => {
        backlogBytes -= bytes;
        deliver(handlers);
      });
      return true;
    },

    attached: (): AgentSessionHandlers[] =>
      [...routes.values()].flatMap(({ handlers }) => (handlers === null ? [] : [handlers])),

    attach(id: string, handlers: AgentSessionHandlers): () => void {
      const known = routes.get(id);
      const route = known ?? add(id);
      if (known && !known.ended && known.handlers === null) unknown -= 1;
      route.handlers = handlers;
      const backlog = route.backlog;
      route.backlog = [];
      for (const deliver of backlog) deliver(handlers);
      return () => {
        if (route.handlers !== handlers) return;
        route.handlers = null;
        route.ended = true;
      };
    },
  };
}

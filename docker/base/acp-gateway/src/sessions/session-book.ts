import { GatewayError } from "../gateway-error.ts";
import type { Session, SessionStatus } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { statusOf, toSession, type LiveSession, type SessionRecord } from "./live-session.ts";
import { createToolCallMemory } from "./tool-calls.ts";

const CURSOR = /^(ses|prm)_[0-9a-f]{32}$/;
/** Closed sessions beside the open ones: they are only a row each, but they are in memory. */
const ALL_FACTOR = 16;

export type SessionBook = ReturnType<typeof createSessionBook>;

/** All sessions of the gateway, in memory. */
export function createSessionBook(context: SessionContext) {
  const { sessions, log } = context;

  const view = (session: LiveSession): Session => toSession(session, log.lastSeq(session.record.id));

  return {
    view,

    /** @throws GatewayError session_not_found */
    find(id: string): LiveSession {
      const session = sessions.get(id);
      if (!session)
        throw new GatewayError("session_not_found", "there is no such session; GET /v1/sessions lists them");
      return session;
    },

    add(record: SessionRecord): LiveSession {
      const session = live(context, record);
      sessions.set(record.id, session);
      return session;
    },

    /** @throws GatewayError shutting_down, storage_full: nothing new is begun */
    checkOpen(): void {
      if (context.shuttingDown) throw new GatewayError("shutting_down", "the gateway is shutting down");
      if (log.isRemoved()) throw new GatewayError("storage_full", "the log's file was removed; restart the gateway");
      if (log.isFull()) throw new GatewayError("storage_full", "the log cannot be written; make room on the disk");
    },

    /** @throws GatewayError too_many_sessions */
    checkRoom(): void {
      const { sessions: max } = context.config.limits;
      const open = [...sessions.values()].filter(({ record }) => !record.closed).length + context.creating;
      if (open >= max) {
        throw new GatewayError("too_many_sessions", `${max} sessions are open; close some that are not needed`);
      }
      if (sessions.size + context.creating >= max * ALL_FACTOR) {
        throw new GatewayError("too_many_sessions", `${sessions.size} sessions are kept; delete some that are closed`);
      }
    },

    /** The newest first. */
    list({ agent, status, cursor, limit }: { agent?: string; status?: SessionStatus; cursor?: string; limit: number }) {
      const before = checkCursor(cursor);
      const found = [...sessions.values()]
        .filter(({ record }) => agent === undefined || record.agent === agent)
        .filter((session) => status === undefined || statusOf(session) === status)
        .filter(({ record }) => before === null || record.id < before)
        .toSorted((a, b) => (a.record.id < b.record.id ? 1 : -1));
      const page = found.slice(0, limit).map(view);
      return { sessions: page, nextCursor: found.length > page.length ? (page.at(-1)?.id ?? null) : null };
    },
  };
}

/** @throws GatewayError invalid_request */
export function checkCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  if (CURSOR.test(cursor)) return cursor;
  throw new GatewayError("invalid_request", "?cursor: give the nextCursor of the page before", {
    errors: [{ path: "?cursor", code: "cursor", message: "give the nextCursor of the page before" }],
  });
}

/** A session at rest. */
export function live(context: SessionContext, record: SessionRecord): LiveSession {
  const session: LiveSession = {
    record,
    connection: null,
    opening: null,
    ending: null,
    closing: false,
    kept: null,
    stopping: null,
    running: null,
    queue: [],
    permissions: new Map(),
    elicitations: new Map(),
    toolCalls: createToolCallMemory(),
    clients: 0,
    calls: 0,
    lastUsedMs: context.now(),
    crashes: 0,
    removed: false,
    rowStaged: false,
    writeRow(db) {
      session.rowStaged = false;
      if (session.removed) return;
      // What is stored must agree with the log wherever the gateway is killed.
      const { record, closing, kept } = session;
      context.stores.sessions.put(db, { ...record, ...kept, ...(closing && { closed: false }) });
    },
  };
  return session;
}

import type { Database } from "bun:sqlite";
import type { StagedEvent } from "../types.ts";
import { ENVELOPE_BYTES } from "./segment-table.ts";

type Assigned = { index: number; call: (seq: number) => void };

/** What a session has staged for the next commit, in order. */
export type StagedSession = {
  sessionId: string;
  events: StagedEvent[];
  assigned: Assigned[];
  /** Index of the event that tells of the session's removal. */
  removedAt: number | null;
};

/** What the next commit writes. */
export type StagedBatch = {
  sessions: Map<string, StagedSession>;
  writes: ((db: Database) => void)[];
  /** About what the events take. */
  bytes: number;
};

export const emptyBatch = (): StagedBatch => ({ sessions: new Map(), writes: [], bytes: 0 });

export const isEmpty = ({ sessions, writes }: StagedBatch): boolean => sessions.size === 0 && writes.length === 0;

export function addEvent(batch: StagedBatch, event: StagedEvent, assigned?: (seq: number) => void): StagedSession {
  let session = batch.sessions.get(event.sessionId);
  if (session === undefined) {
    session = { sessionId: event.sessionId, events: [], assigned: [], removedAt: null };
    batch.sessions.set(event.sessionId, session);
  }
  if (assigned) session.assigned.push({ index: session.events.length, call: assigned });
  session.events.push(event);
  batch.bytes += event.members.length + ENVELOPE_BYTES;
  return session;
}

/** Puts what was staged later behind what an unsuccessful commit gave back. */
export function append(batch: StagedBatch, later: StagedBatch): void {
  for (const { sessionId, events, assigned, removedAt } of later.sessions.values()) {
    const known = batch.sessions.get(sessionId);
    const offset = known?.events.length ?? 0;
    const calls = new Map(assigned.map(({ index, call }) => [index, call]));
    for (const [index, event] of events.entries()) addEvent(batch, event, calls.get(index));
    const session = batch.sessions.get(sessionId);
    if (session && removedAt !== null) session.removedAt = offset + removedAt;
  }
  batch.writes.push(...later.writes);
}

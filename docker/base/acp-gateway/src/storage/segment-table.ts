import type { Database } from "bun:sqlite";
import { prepared } from "./prepared.ts";

/** Events of one session with consecutive numbers and one time. */
export type Segment = {
  sessionId: string;
  first: number;
  last: number;
  timeMs: number;
  /** What the events are, in order: JSON of `[count, type, promptId | null][]`. */
  runs: string;
  /** The events' own members, a line each. */
  bodies: Uint8Array;
};

/** What of a segment is known without its bodies. */
type SegmentHead = { first: number; last: number; bytes: number };

/** Of the envelope and the SSE fields around an event's own members. */
export const ENVELOPE_BYTES = 240;
const LIMIT_FEW = 8;
const LIMIT_MANY = 512;

/** About what the segment takes as frames. */
export const sizeOf = ({ first, last, bytes }: SegmentHead): number => bytes + (last - first + 1) * ENVELOPE_BYTES;

/** What the segment takes in the database. */
export const storedBytes = ({ runs, bodies }: Segment): number => runs.length + bodies.length;

export function insertSegment(db: Database, segment: Segment): void {
  const { first, last, sessionId, timeMs, runs, bodies } = segment;
  const sql = "INSERT INTO event_segment VALUES (?, ?, ?, ?, ?, ?, ?)";
  prepared(db, sql).run(first, last, sessionId, timeMs, storedBytes(segment), runs, bodies);
}

/** The segments with events after `seq`, the oldest first, of up to about `bytes` as frames and at least one. */
export function segmentsAfter(db: Database, sessionId: string | null, seq: number, bytes: number): Segment[] {
  // A busy agent's segments are large and few make a chunk; a quiet one's hold an event each.
  const range =
    rangeAfter(db, { sessionId, seq, bytes, limit: LIMIT_FEW }) ??
    rangeAfter(db, { sessionId, seq, bytes, limit: LIMIT_MANY });
  if (range === undefined) return [];
  const { first, to } = range;
  const columns = `first_seq AS first, last_seq AS last, session_id AS sessionId, time_ms AS timeMs, runs, bodies`;
  if (sessionId === null) {
    const sql = `SELECT ${columns} FROM event_segment WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq`;
    return prepared<Segment, [number, number]>(db, sql).all(first.first, to.first);
  }
  const sql = `SELECT ${columns} FROM event_segment INDEXED BY event_segment_session
    WHERE session_id = ? AND last_seq BETWEEN ? AND ? ORDER BY last_seq`;
  return prepared<Segment, [string, number, number]>(db, sql).all(sessionId, first.last, to.last);
}

type Range = { sessionId: string | null; seq: number; bytes: number; limit: number };

/** The first and last segment of a chunk; undefined when there is none, or when `limit` does not reach for it. */
function rangeAfter(db: Database, range: Range): { first: SegmentHead; to: SegmentHead } | undefined {
  const heads = range.sessionId === null ? headsOfAll(db, range) : headsOf(db, range.sessionId, range);
  const [first, ...others] = heads;
  if (first === undefined) return undefined;
  let to = first;
  let sum = sizeOf(first);
  for (const head of others) {
    sum += sizeOf(head);
    if (sum > range.bytes) return { first, to };
    to = head;
  }
  return heads.length === range.limit && range.limit < LIMIT_MANY ? undefined : { first, to };
}

function headsOf(db: Database, sessionId: string, { seq, limit }: Range): SegmentHead[] {
  const sql = `SELECT first_seq AS first, last_seq AS last, bytes FROM event_segment INDEXED BY event_segment_session
    WHERE session_id = ? AND last_seq > ? ORDER BY last_seq LIMIT ?`;
  return prepared<SegmentHead, [string, number, number]>(db, sql).all(sessionId, seq, limit);
}

/** Numbers do not overlap, so the segment that begins last at or before `seq` is the only one that may reach over it. */
function headsOfAll(db: Database, { seq, limit }: Range): SegmentHead[] {
  const sql = `SELECT first_seq AS first, last_seq AS last, bytes FROM event_segment
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM event_segment WHERE first_seq <= ?1), 0)
      AND last_seq > ?1 ORDER BY first_seq LIMIT ?2`;
  return prepared<SegmentHead, [number, number]>(db, sql).all(seq, limit);
}

/** 0 when there are none. Empty for all sessions. */
export function lastSeqOf(db: Database, sessionId: string | null): number {
  const row =
    sessionId === null
      ? prepared<{ last: number }, []>(
          db,
          "SELECT last_seq AS last FROM event_segment ORDER BY first_seq DESC LIMIT 1",
        ).get()
      : prepared<{ last: number }, [string]>(
          db,
          "SELECT last_seq AS last FROM event_segment WHERE session_id = ? ORDER BY last_seq DESC LIMIT 1",
        ).get(sessionId);
  return row?.last ?? 0;
}

/** When the last event was committed; null when there is none. */
export function lastTimeMs(db: Database): number | null {
  const sql = "SELECT time_ms AS timeMs FROM event_segment ORDER BY first_seq DESC LIMIT 1";
  return prepared<{ timeMs: number }, []>(db, sql).get()?.timeMs ?? null;
}

/** Removes the session's events before `seq`. */
export function deleteSegmentsBefore(db: Database, sessionId: string, seq: number): void {
  prepared(db, "DELETE FROM event_segment WHERE session_id = ? AND last_seq < ?").run(sessionId, seq);
}

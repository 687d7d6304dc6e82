import type { Database } from "bun:sqlite";
import { prepared } from "./prepared.ts";

/** Events of one session with consecutive numbers, as the frames that readers are given. */
export type Segment = { sessionId: string; first: number; last: number; frames: Uint8Array };

/** What of a segment is known without its frames. */
export type SegmentHead = { first: number; last: number; bytes: number };

const HEADS_MAX = 512;

export function insertSegment(db: Database, { first, last, sessionId, frames }: Segment, timeMs: number): void {
  prepared(db, "INSERT INTO event_segment VALUES (?, ?, ?, ?, ?, ?)").run(
    first,
    last,
    sessionId,
    timeMs,
    frames.length,
    frames,
  );
}

/** The segments with events after `seq`, the oldest first, up to about `bytes` and at least one. */
export function segmentsAfter(db: Database, sessionId: string | null, seq: number, bytes: number): Segment[] {
  const heads = sessionId === null ? headsOfAll(db, seq) : headsOf(db, sessionId, seq);
  let count = 0;
  let sum = 0;
  while (count < heads.length && (count === 0 || sum + (heads[count]?.bytes ?? 0) <= bytes)) {
    sum += heads[count]?.bytes ?? 0;
    count += 1;
  }
  if (count === 0) return [];
  const [from, to] = [heads[0]?.first ?? 0, heads[count - 1]?.first ?? 0];
  const columns = "first_seq AS first, last_seq AS last, session_id AS sessionId, frames";
  if (sessionId === null) {
    const sql = `SELECT ${columns} FROM event_segment WHERE first_seq BETWEEN ? AND ? ORDER BY first_seq`;
    return prepared<Segment, [number, number]>(db, sql).all(from, to);
  }
  const sql = `SELECT ${columns} FROM event_segment INDEXED BY event_segment_session
    WHERE session_id = ? AND last_seq BETWEEN ? AND ? ORDER BY last_seq`;
  return prepared<Segment, [string, number, number]>(db, sql).all(sessionId, from, heads[count - 1]?.last ?? 0);
}

function headsOf(db: Database, sessionId: string, seq: number): SegmentHead[] {
  const sql = `SELECT first_seq AS first, last_seq AS last, bytes FROM event_segment INDEXED BY event_segment_session
    WHERE session_id = ? AND last_seq > ? ORDER BY last_seq LIMIT ${HEADS_MAX}`;
  return prepared<SegmentHead, [string, number]>(db, sql).all(sessionId, seq);
}

/** Numbers do not overlap, so the segment that begins last at or before `seq` is the only one that may reach over it. */
function headsOfAll(db: Database, seq: number): SegmentHead[] {
  const sql = `SELECT first_seq AS first, last_seq AS last, bytes FROM event_segment
    WHERE first_seq >= coalesce((SELECT max(first_seq) FROM event_segment WHERE first_seq <= ?1), 0)
      AND last_seq > ?1 ORDER BY first_seq LIMIT ${HEADS_MAX}`;
  return prepared<SegmentHead, [number]>(db, sql).all(seq);
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

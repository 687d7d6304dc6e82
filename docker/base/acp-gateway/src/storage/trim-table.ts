import type { Database } from "bun:sqlite";
import { writeMeta } from "./meta-table.ts";
import { prepared } from "./prepared.ts";

/** A segment that may go. */
export type Removable = { first: number; last: number; sessionId: string; timeMs: number; bytes: number };

/** What one look finds at most. */
export const STEP_MAX = 512;

/** Up to which number events of each session were removed. */
export function readTrims(db: Database): Map<string, number> {
  const sql = "SELECT session_id AS sessionId, through FROM event_trim";
  const rows = prepared<{ sessionId: string; through: number }, []>(db, sql).all();
  return new Map(rows.map(({ sessionId, through }) => [sessionId, through]));
}

export function forgetTrim(db: Database, sessionId: string): void {
  prepared(db, "DELETE FROM event_trim WHERE session_id = ?").run(sessionId);
}

/** What the session's events take. */
export function bytesOf(db: Database, sessionId: string): number {
  const sql = "SELECT coalesce(sum(bytes), 0) AS bytes FROM event_segment WHERE session_id = ?";
  return prepared<{ bytes: number }, [string]>(db, sql).get(sessionId)?.bytes ?? 0;
}

/** What is in use of the database, other tables included. */
export function bytesUsed(db: Database): number {
  const sql = `SELECT (page_count - freelist_count) * page_size AS bytes
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size`;
  return prepared<{ bytes: number }, []>(db, sql).get()?.bytes ?? 0;
}

/** The oldest of one session, or of all after a number; a bounded number. */
export function oldest(db: Database, sessionId: string | null, after = 0): Removable[] {
  const columns = "first_seq AS first, last_seq AS last, session_id AS sessionId, time_ms AS timeMs, bytes";
  if (sessionId === null) {
    const sql = `SELECT ${columns} FROM event_segment WHERE first_seq > ? ORDER BY first_seq LIMIT ${STEP_MAX}`;
    return prepared<Removable, [number]>(db, sql).all(after);
  }
  const sql = `SELECT ${columns} FROM event_segment WHERE session_id = ? ORDER BY last_seq LIMIT ${STEP_MAX}`;
  return prepared<Removable, [string]>(db, sql).all(sessionId);
}

/** Removes the segments and remembers that they were there. All or nothing. */
export function trim(db: Database, segments: readonly Removable[], lastSeq: number): void {
  const remove = prepared(db, "DELETE FROM event_segment WHERE first_seq = ?");
  const remember = prepared(
    db,
    "INSERT INTO event_trim VALUES (?, ?) ON CONFLICT DO UPDATE SET through = max(through, excluded.through)",
  );
  const through = new Map<string, number>();
  db.transaction(() => {
    for (const { first, last, sessionId } of segments) {
      remove.run(first);
      through.set(sessionId, last);
    }
    for (const [sessionId, last] of through) remember.run(sessionId, last);
    writeMeta(db, "last_seq", lastSeq);
  }).immediate();
}

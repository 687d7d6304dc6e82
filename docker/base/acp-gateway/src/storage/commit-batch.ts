import type { Database } from "bun:sqlite";
import { packSegments } from "./pack-segments.ts";
import { prepared } from "./prepared.ts";

import { deleteSegmentsBefore, insertSegment, type Segment } from "./segment-table.ts";
import type { StagedBatch, StagedSession } from "./staged-batch.ts";
import { isDiskFailure, messageOf } from "./storage-error.ts";
import { forgetTrim } from "./trim-table.ts";

type CommitOptions = {
  /** The number before the first of this commit. */
  lastSeq: number;
  now: Date;
  report: (message: string, fields: Record<string, unknown>) => void;
};

/** `seq`: the event that tells of it; `before`: the last one that is gone. */
type Removal = { sessionId: string; seq: number; before: number };

export type CommitResult = { segments: Segment[]; removals: Removal[] };

/**
 * Writes everything staged in one transaction. When it throws, nothing of it is written.
 * A write that fails by itself, not by the disk, is left out and reported: repeating it would hold up all others.
 */
export function commitBatch(db: Database, batch: StagedBatch, options: CommitOptions): CommitResult {
  const timeMs = options.now.getTime();
  const segments: Segment[] = [];
  const removals: Removal[] = [];
  let last = options.lastSeq;
  prepared(db, "BEGIN IMMEDIATE").run();
  try {
    for (const session of batch.sessions.values()) {
      const first = last + 1;
      for (const segment of packSegments(session, first, timeMs)) {
        insertSegment(db, segment);
        segments.push(segment);
      }
      last += session.events.length;
      if (session.removedAt !== null) removals.push(removeEvents(db, session, first + session.removedAt));
      tellNumbers(session, first, options);
    }
    for (const write of batch.writes) runWrite(db, write, options);
    prepared(db, "COMMIT").run();
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (db.inTransaction) prepared(db, "ROLLBACK").run();
    throw error;
  }
  return { segments, removals };
}

function removeEvents(db: Database, { sessionId }: StagedSession, seq: number): Removal {
  deleteSegmentsBefore(db, sessionId, seq);
  forgetTrim(db, sessionId);
  return { sessionId, seq, before: seq - 1 };
}

function tellNumbers({ assigned }: StagedSession, first: number, { report }: CommitOptions): void {
  for (const { index, call } of assigned) {
    try {
      call(first + index);
    } catch (error) {
      report("an event's number could not be taken up", { error: messageOf(error) });
    }
  }
}

function runWrite(db: Database, write: (db: Database) => void, { report }: CommitOptions): void {
  prepared(db, "SAVEPOINT staged_write").run();
  try {
    write(db);
  } catch (error) {
    if (isDiskFailure(error)) throw error;
    prepared(db, "ROLLBACK TO staged_write").run();
    report("a change could not be stored", { error: messageOf(error) });
  }
  prepared(db, "RELEASE staged_write").run();
}

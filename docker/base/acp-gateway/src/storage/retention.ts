import type { Database } from "bun:sqlite";
import { readMeta } from "./meta-table.ts";
import { createPromptTrim, trimAsked } from "./prompt-trim.ts";
import { type Segment, storedBytes } from "./segment-table.ts";
import { type Removable, bytesOf, bytesUsed, oldest, readTrims, STEP_MAX, trim } from "./trim-table.ts";

/** What may be kept: of all sessions and of one in bytes, and for how many days; 0 days is for ever. */
export type Retention = { bytes: number; sessionBytes: number; days: number };

type RetentionDeps = { db: Database; retention: Retention; now: () => Date };

const DAY_MS = 24 * 3600 * 1000;
/** How often the size and age of all is looked at: after so many bytes, and after so long. */
const CHECK_BYTES = 4 * 1024 * 1024;
const CHECK_MS = 60_000;
/** What one step removes, so that it does not hold up the rest for long. */
const STEP_BYTES = 4 * 1024 * 1024;
/** A little more than what is too much goes at once, so that not every commit has to. */
const SLACK = 0.95;

/** Removes the oldest events when there are too many, and remembers which. */
export function createRetention({ db, retention, now }: RetentionDeps) {
  const { bytes, sessionBytes, days } = retention;
  const trims = readTrims(db);
  const prompts = createPromptTrim(db);
  const sizes = new Map<string, number>();
  const due = new Set<string>();
  let trimmedThrough = Math.max(readMeta(db, "lost_through"), ...trims.values());
  let uncheckedBytes = CHECK_BYTES;
  let checkedAt = 0;
  let usedBytes = bytesUsed(db);
  let isMoreDue = false;
  let aheadThrough = 0;

  function remove(found: readonly Removable[], bytesMax: number, lastSeq: number): number {
    let freed = 0;
    let count = 0;
    // The newest event stays: it tells where the log is.
    while (count < found.length && freed < bytesMax && (found[count]?.last ?? lastSeq) < lastSeq) {
      freed += found[count]?.bytes ?? 0;
      count += 1;
    }
    if (count === 0) return 0;
    const gone = found.slice(0, count);
    trim(db, gone, lastSeq);
    for (const { sessionId, last, bytes: size } of gone) {
      trims.set(sessionId, Math.max(last, trims.get(sessionId) ?? 0));
      trimmedThrough = Math.max(trimmedThrough, last);
      const known = sizes.get(sessionId);
      if (known !== undefined) sizes.set(sessionId, known - size);
    }
    for (const one of new Map(gone.map((one) => [one.sessionId, one])).values()) {
      prompts.trimmed(one.sessionId, trims.get(one.sessionId) ?? 0);
      trimAsked(db, one.sessionId, one.timeMs);
    }
    return freed;
  }

  /** What was written while the clock was ahead is passed over, a part at a time, to come to what lies behind. */
  function aged(nowMs: number): Removable[] {
    const found = oldest(db, null, aheadThrough);
    const old = found.filter(({ timeMs }) => timeMs < nowMs - days * DAY_MS);
    if (found.length === STEP_MAX && found.every(({ timeMs }) => timeMs > nowMs))
      aheadThrough = found.at(-1)?.first ?? 0;
    else if (old.length === 0) aheadThrough = 0;
    return old;
  }

  function trimSession(sessionId: string, lastSeq: number): void {
    const excess = (sizes.get(sessionId) ?? 0) - sessionBytes * SLACK;
    const freed = excess > 0 ? remove(oldest(db, sessionId), Math.min(excess, STEP_BYTES), lastSeq) : 0;
    if (freed === 0 || freed >= excess) due.delete(sessionId);
  }

  function trimAll(lastSeq: number): void {
    uncheckedBytes = 0;
    checkedAt = now().getTime();
    usedBytes = bytesUsed(db);
    const excess = usedBytes > bytes ? usedBytes - bytes * SLACK : 0;
    let freed = excess > 0 ? remove(oldest(db, null), Math.min(excess, STEP_BYTES), lastSeq) : 0;
    if (days > 0) freed += remove(aged(checkedAt), STEP_BYTES, lastSeq);
    isMoreDue = freed > 0;
  }

  return {
    usedBytes: () => usedBytes,

    /** Up to which number events are gone, of one session or of any. */
    trimmedThrough: (sessionId: string | null) => (sessionId === null ? trimmedThrough : (trims.get(sessionId) ?? 0)),

    /** The session was removed; readers that had not come to the end are told. */
    forget(sessionId: string, through: number): void {
      trims.set(sessionId, through);
      sizes.delete(sessionId);
      prompts.forget(sessionId);
      due.delete(sessionId);
    },

    /** After a commit. */
    added(segments: readonly Segment[]): void {
      const measured = new Set<string>();
      for (const segment of segments) {
        const { sessionId } = segment;
        const bytes = storedBytes(segment);
        const known = sizes.get(sessionId);
        if (known === undefined) measured.add(sessionId);
        // What is measured now has the rest of this commit in it.
        if (known === undefined) sizes.set(sessionId, bytesOf(db, sessionId));
        else if (!measured.has(sessionId)) sizes.set(sessionId, known + bytes);
        if ((sizes.get(sessionId) ?? 0) > sessionBytes) due.add(sessionId);
        uncheckedBytes += bytes;
      }
    },

    /** Removes a bounded part of what is too much. True when there may be more. */
    step(lastSeq: number): boolean {
      const [sessionId] = due;
      if (sessionId !== undefined) trimSession(sessionId, lastSeq);
      else if (isMoreDue || uncheckedBytes >= CHECK_BYTES || Math.abs(now().getTime() - checkedAt) >= CHECK_MS)
        trimAll(lastSeq);
      return due.size > 0 || isMoreDue;
    },
  };
}

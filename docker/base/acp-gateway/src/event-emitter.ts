import type { Database } from "bun:sqlite";
import { GatewayError } from "./gateway-error.ts";
import type { Checkpoints } from "./storage/checkpoints.ts";
import { type CommitResult, commitBatch } from "./storage/commit-batch.ts";
import { createLogReader, type ReaderSource } from "./storage/log-reader.ts";
import { createMemoryTail } from "./storage/memory-tail.ts";
import { readMeta } from "./storage/meta-table.ts";
import { type Retention, createRetention } from "./storage/retention.ts";
import { createScrap } from "./storage/scrap.ts";
import { lastSeqOf, lastTimeMs, segmentsAfter, sizeOf, storedBytes, type Segment } from "./storage/segment-table.ts";
import { addEvent, append, emptyBatch, isEmpty, type StagedBatch } from "./storage/staged-batch.ts";
import { messageOf } from "./storage/storage-error.ts";
import { createWaiters, createWakes, type Waiters } from "./storage/waiting.ts";
import type { EventLog } from "./types.ts";

export type EventLogLimits = {
  /** Committed events in memory, for readers that keep up. */
  tailBytes: number;
  /** Uncommitted events from which on producers should pause. */
  stagedBytes: number;
  /** Uncommitted events that do not wait for the end of the turn. */
  commitBytes: number;
  /** Between tries while the disk is full. */
  retryMs: number;
};

type EventLogDeps = {
  db: Database;
  checkpoints: Pick<Checkpoints, "committed">;
  /** Whether the database was removed, while it is open. */
  isGone: () => boolean;
  retention: Retention;
  /** Told once of what goes wrong, and once of its end. */
  report: (message: string, fields: Record<string, unknown>) => void;
  now: () => Date;
  /** Closes the database. */
  close: () => void;
  limits?: Partial<EventLogLimits>;
};

const TYPE = /^[a-z0-9_]{1,64}$/;
const MiB = 1024 * 1024;
/** Between two looks at the file. */
const LOOK_MS = 1000;
const LIMITS: EventLogLimits = { tailBytes: 8 * MiB, stagedBytes: 8 * MiB, commitBytes: MiB / 4, retryMs: 1000 };

/** The log over an open database: numbers, commits and hands out events. */
export function createEventLog(deps: EventLogDeps): EventLog {
  const { db, report, now } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const retention = createRetention({ db, retention: deps.retention, now });
  let lastSeq = Math.max(readMeta(db, "last_seq"), lastSeqOf(db, null));
  let lastEventMs = lastTimeMs(db);
  const lastSeqs = new Map<string, number>();
  const removedAt = new Map<string, number>();
  const tail = createMemoryTail(limits.tailBytes, lastSeq);
  const wakes = createWakes();
  const scrap = createScrap();
  const settling = createWaiters();
  const waitingForRoom = createWaiters();
  let staged = emptyBatch();
  let turn: NodeJS.Immediate | null = null;
  let retry: NodeJS.Timeout | null = null;
  let isFull = false;
  let isCommitting = false;
  let isClosed = false;
  let isUntidy = false;
  let isRemoved = false;
  let lookedAt = 0;
  let commits = 0;
  let checkedType = "gap";

  function schedule(): void {
    // After a failure the next try is the timer's: each costs as much as what has gathered.
    if (turn === null && !isFull && !isClosed) turn = setImmediate(commit);
  }

  function commit(): void {
    if (turn !== null) clearImmediate(turn);
    turn = null;
    if (isCommitting || isClosed) return;
    const waiting = settling.take();
    const batch = staged;
    staged = emptyBatch();
    const result = write(batch, waiting);
    if (result === null) return;
    if (isFull) report("the log can be written again", {});
    isFull = false;
    publish(result);
    waiting.resolve();
    waitingForRoom.take().resolve();
    tidy(result);
    if (performance.now() - lookedAt >= LOOK_MS) look();
  }

  /** What is committed to a removed file is shown, but nobody finds it after this process. */
  function look(): boolean {
    lookedAt = performance.now();
    if (isRemoved || isClosed || !deps.isGone()) return isRemoved;
    report("the log's file was removed: what is said from now on is lost. Restart the gateway to begin a new log", {});
    return (isRemoved = true);
  }

  /** Null when it failed: then all of it is staged again, before what came meanwhile. */
  function write(batch: StagedBatch, waiting: Waiters): CommitResult | null {
    isCommitting = true;
    try {
      return isEmpty(batch) ? { segments: [], removals: [] } : commitBatch(db, batch, { lastSeq, now: now(), report });
    } catch (error) {
      append(batch, staged);
      staged = batch;
      fail(error, waiting);
      return null;
    } finally {
      isCommitting = false;
    }
  }

  function publish({ segments, removals }: CommitResult): void {
    commits += 1;
    // Who keeps up has these; for all others they are gone.
    for (const { sessionId } of removals) tail.drop(sessionId);
    for (const segment of segments) {
      lastSeq = segment.last;
      const bytes = sizeOf({ ...segment, bytes: storedBytes(segment) });
      tail.push({ ...segment, bytes });
      scrap.made(bytes);
      lastSeqs.set(segment.sessionId, segment.last);
    }
    for (const { sessionId, seq, before } of removals) {
      retention.forget(sessionId, before);
      removedAt.set(sessionId, seq);
    }
    if (segments.length === 0) return;
    lastEventMs = now().getTime();
    wakes.committed(new Set(segments.map(({ sessionId }) => sessionId)));
  }

  function fail(error: unknown, waiting: Waiters): void {
    if (!isFull) report("the log cannot be written; trying again", { error: messageOf(error) });
    isFull = true;
    waiting.reject(fullError());
    settling.take().reject(fullError());
    retry ??= setTimeout(() => {
      retry = null;
      commit();
    }, limits.retryMs);
  }

  /** Removes old events, a part at a time, and moves the write-ahead log on. */
  function tidy({ segments }: CommitResult): void {
    try {
      retention.added(segments);
      if (retention.step(lastSeq)) schedule();
      deps.checkpoints.committed(segments.reduce((sum, segment) => sum + storedBytes(segment), 0));
      isUntidy = false;
    } catch (error) {
      if (!isUntidy) report("the log cannot be tidied up", { error: messageOf(error) });
      isUntidy = true;
    }
  }

  function lastSeqIn(sessionId: string): number {
    let last = lastSeqs.get(sessionId);
    if (last === undefined) lastSeqs.set(sessionId, (last = lastSeqOf(db, sessionId)));
    return last;
  }

  function stored(sessionId: string | null, seq: number, bytes: number): Segment[] {
    const segments = segmentsAfter(db, sessionId, seq, bytes);
    scrap.made(segments.reduce((sum, segment) => sum + sizeOf({ ...segment, bytes: storedBytes(segment) }), 0));
    return segments;
  }

  const source: ReaderSource = {
    lastSeq: (sessionId) => (sessionId === null ? lastSeq : lastSeqIn(sessionId)),
    segments: (sessionId, seq, bytes) =>
      tail.holds(sessionId, seq) ? tail.after(sessionId, seq, bytes) : stored(sessionId, seq, bytes),
    missingThrough: (sessionId, seq) => (tail.holds(sessionId, seq) ? 0 : retention.trimmedThrough(sessionId)),
    removedAt: (sessionId) => removedAt.get(sessionId),
    isClosed: () => isClosed,
    time: () => now().toISOString(),
    onCommit: (sessionId, wake) => wakes.add(sessionId, wake),
  };

  return {
    stage(event, assigned) {
      if (isClosed) return;
      if (event.type !== checkedType) {
        if (!TYPE.test(event.type)) throw new TypeError(`${JSON.stringify(event.type)} is not a type of an event`);
        checkedType = event.type;
      }
      addEvent(staged, event, assigned);
      if (turn === null) schedule();
    },

    stageWrite(write) {
      staged.writes.push(write);
      schedule();
    },

    remove(sessionId) {
      const event = { sessionId, type: "session_deleted", promptId: null, members: '"data":{}' };
      const session = addEvent(staged, event);
      session.removedAt = session.events.length - 1;
      schedule();
    },

    commitSoon() {
      if (staged.bytes >= limits.commitBytes && !isFull) commit();
      else schedule();
    },

    settled() {
      if (isEmpty(staged) && !isCommitting) return Promise.resolve();
      if (isFull) return Promise.reject(fullError());
      if (isClosed) return Promise.reject(closedError());
      schedule();
      return settling.wait();
    },

    room() {
      return staged.bytes < limits.stagedBytes || isClosed ? Promise.resolve() : waitingForRoom.wait();
    },

    lastSeq(sessionId) {
      return sessionId === undefined ? lastSeq : lastSeqIn(sessionId);
    },

    reader(options) {
      return createLogReader(source, options);
    },

    isFull: () => isFull,
    isRemoved: look,

    stats: () => ({
      bytes: retention.usedBytes(),
      stagedBytes: staged.bytes,
      isFull,
      lastSeq,
      commits,
      lastEventAt: lastEventMs === null ? null : new Date(lastEventMs).toISOString(),
    }),

    close() {
      if (isClosed) return;
      commit();
      isClosed = true;
      if (turn !== null) clearImmediate(turn);
      if (retry !== null) clearTimeout(retry);
      settling.take().reject(closedError());
      waitingForRoom.take().resolve();
      wakes.all();
      deps.close();
    },
  };
}

const fullError = (): GatewayError =>
  new GatewayError("storage_full", "the log cannot be written; free some space on the disk of the workspace", {
    retryAfterSeconds: 5,
  });

const closedError = (): GatewayError => new GatewayError("shutting_down", "the gateway is shutting down");

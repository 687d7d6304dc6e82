import type { ProjectEvent, ProjectEventType } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { appendEvent, latestEventId, trimEvents } from "../models/event.ts";
import { createEventPages, type LogEntry } from "./event-pages.ts";
import { createWaitingReaders } from "./waiting-readers.ts";

export interface NewEvent {
  projectId: string;
  operationId: string | null;
  type: ProjectEventType;
  data?: Record<string, unknown>;
}

interface FollowOptions {
  after: number;
  projectId?: string;
  signal: AbortSignal;
}

export type EventLog = ReturnType<typeof createEventLog>;

const trimEvery = 1_000;

/**
 * The append-only log of what happens to projects, and the one way to be told of it. Readers pull
 * from the table, so a slow one costs no memory and misses nothing that is still kept.
 * @param options.keep how many events are kept at least
 */
export function createEventLog(db: Database, options: { keep?: number } = {}) {
  const keep = options.keep ?? 100_000;
  const readPage = createEventPages(db);
  const readers = createWaitingReaders();

  return {
    /** Call inside the transaction of the change, then `wake` after its commit. */
    record({ projectId, operationId, type, data = {} }: NewEvent): ProjectEvent {
      const event = appendEvent(db, { projectId, operationId, type, data });
      // By the id, so that it comes about also where no process lives for that many events.
      if (event.id % trimEvery === 0) trimEvents(db, { keep });
      return event;
    },

    wake: readers.wake,

    append(event: NewEvent): ProjectEvent {
      const stored = this.record(event);
      readers.wake();
      return stored;
    },

    /** Id of the newest event; 0 when there is none. */
    latestId: (): number => latestEventId(db),

    /**
     * What comes after an id, oldest first, until `signal` aborts or the one project asked for is
     * deleted. Each turn gives what there is at once, as an array that its readers share.
     * A gap says which ids between are not kept here, be it that they were trimmed or that they are
     * from a database of which this one is an older backup.
     */
    async *follow({ after, projectId, signal }: FollowOptions): AsyncGenerator<readonly LogEntry[]> {
      let cursor = after;
      while (!signal.aborted) {
        const page = readPage(cursor, projectId);
        cursor = page.cursor;
        if (page.entries.length > 0) yield page.entries;
        if (page.isLast) return;
        // Only right after an empty look: what was appended while a reader took its time woke nobody.
        if (page.entries.length === 0) await readers.next(signal);
      }
    },
  };
}

import type { ProjectEvent, ProjectEventType } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { appendEvent, latestEventId, listEvents, oldestEventId, trimEvents } from "../models/event.ts";

export interface NewEvent {
  projectId: string;
  operationId: string | null;
  type: ProjectEventType;
  data?: Record<string, unknown>;
}

/** What a reader gets: an event, or the ids that are no longer kept. */
export type LogEntry = { event: ProjectEvent } | { gap: { from: number; to: number } };

interface FollowOptions {
  after: number;
  projectId?: string;
  signal: AbortSignal;
}

export type EventLog = ReturnType<typeof createEventLog>;

const pageSize = 200;
const trimEvery = 1_000;

/**
 * The append-only log of what happens to projects, and the one way to be told of it. Readers pull
 * from the table, so a slow one costs no memory and misses nothing that is still kept.
 * @param options.keep how many events are kept at least
 */
export function createEventLog(db: Database, options: { keep?: number } = {}) {
  const keep = options.keep ?? 100_000;
  let waiting = new Set<() => void>();
  let sinceTrim = 0;

  function wake(): void {
    const woken = waiting;
    waiting = new Set();
    for (const resume of woken) resume();
  }

  return {
    /** Call inside the transaction of the change, then `wake` after its commit. */
    record({ projectId, operationId, type, data = {} }: NewEvent): ProjectEvent {
      const event = appendEvent(db, { projectId, operationId, type, data });
      sinceTrim += 1;
      if (sinceTrim >= trimEvery) {
        sinceTrim = 0;
        trimEvents(db, { keep });
      }
      return event;
    },

    wake,

    append(event: NewEvent): ProjectEvent {
      const stored = this.record(event);
      wake();
      return stored;
    },

    /** Id of the newest event; 0 when there is none. */
    latestId: (): number => latestEventId(db),

    /**
     * Events after an id, oldest first, until `signal` aborts or the one project asked for is deleted.
     * A gap says which ids between are not kept here, be it that they were trimmed or that they are
     * from a database of which this one is an older backup.
     */
    async *follow({ after, projectId, signal }: FollowOptions): AsyncGenerator<LogEntry> {
      let cursor = after;
      while (!signal.aborted) {
        const latest = latestEventId(db);
        const first = oldestEventId(db) ?? latest + 1;
        if (cursor > latest) {
          yield { gap: { from: latest + 1, to: cursor } };
          cursor = latest;
        } else if (cursor + 1 < first) {
          yield { gap: { from: cursor + 1, to: first - 1 } };
          cursor = first - 1;
        }
        const page = listEvents(db, { projectId, after: cursor, limit: pageSize });
        for (const event of page) {
          yield { event };
          cursor = event.id;
          if (signal.aborted || (projectId !== undefined && event.type === "deleted")) return;
        }
        // Others' events count as seen too, so that their trimming is no gap.
        if (page.length < pageSize) cursor = Math.max(cursor, latest);
        // Only right after an empty look: what was appended while a reader took its time woke nobody.
        if (page.length === 0) await changed(signal);
      }
    },
  };

  function changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const resume = () => {
        waiting.delete(resume);
        signal.removeEventListener("abort", resume);
        resolve();
      };
      signal.addEventListener("abort", resume, { once: true });
      waiting.add(resume);
    });
  }
}

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
  let waiting: (() => void)[] = [];
  let sinceTrim = 0;

  function wake(): void {
    const woken = waiting;
    waiting = [];
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

    /** Events after an id, oldest first, without end until `signal` aborts. */
    async *follow({
      after,
      projectId,
      signal,
    }: {
      after: number;
      projectId?: string;
      signal: AbortSignal;
    }): AsyncGenerator<LogEntry> {
      let cursor = after;
      const oldest = oldestEventId(db);
      if (oldest !== undefined && cursor > 0 && cursor + 1 < oldest) {
        yield { gap: { from: cursor + 1, to: oldest - 1 } };
        cursor = oldest - 1;
      }
      while (!signal.aborted) {
        const page = listEvents(db, {
          ...(projectId === undefined ? {} : { projectId }),
          after: cursor,
          limit: pageSize,
        });
        for (const event of page) {
          yield { event };
          cursor = event.id;
          if (signal.aborted) return;
        }
        // Only right after an empty look: what was appended while a reader took its time woke nobody.
        if (page.length === 0) await changed(signal);
      }
    },
  };

  function changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const resume = () => {
        signal.removeEventListener("abort", resume);
        resolve();
      };
      signal.addEventListener("abort", resume, { once: true });
      waiting.push(resume);
    });
  }
}

import type { ProjectEvent } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { createRevision } from "../db/revision.ts";
import { latestEventId, listEvents, oldestEventId } from "../models/event.ts";

/** What a reader gets: an event, or the ids that are no longer kept. */
export type LogEntry = { event: ProjectEvent } | { gap: { from: number; to: number } };

export interface EventPage {
  /** In order; the same array for every reader of the page. */
  entries: readonly LogEntry[];
  /** Id that the next page comes after. */
  cursor: number;
  /** Whether nothing will ever come after it. */
  isLast: boolean;
}

export type ReadPage = (after: number, projectId?: string) => EventPage;

const pageSize = 200;
const pagesMax = 32;

/**
 * Reads the log in pages. Readers that are at the same place share one page until the database
 * changes, so that an event is read once, however many follow.
 */
export function createEventPages(db: Database): ReadPage {
  const revision = createRevision(db);
  const pages = new Map<string, EventPage>();
  let readAt = Number.NaN;
  return (after, projectId) => {
    const now = revision();
    if (now !== readAt || pages.size >= pagesMax) pages.clear();
    readAt = now;
    const key = `${after} ${projectId ?? ""}`;
    let page = pages.get(key);
    if (page === undefined) pages.set(key, (page = readPage(db, after, projectId)));
    return page;
  };
}

function readPage(db: Database, after: number, projectId: string | undefined): EventPage {
  const latest = latestEventId(db);
  const first = oldestEventId(db) ?? latest + 1;
  const gap = gapAfter(after, { first, latest });
  const from = gap === undefined ? after : gap.resumeAfter;
  const listed = listEvents(db, { projectId, after: from, limit: pageSize });
  const end = projectId === undefined ? -1 : listed.findIndex(({ type }) => type === "deleted");
  const events = end < 0 ? listed : listed.slice(0, end + 1);
  return {
    entries: [...(gap === undefined ? [] : [{ gap: gap.missing }]), ...events.map((event) => ({ event }))],
    // Others' events count as seen too, so that their trimming is no gap.
    cursor: listed.length < pageSize ? Math.max(from, latest) : (listed.at(-1)?.id ?? from),
    isLast: end >= 0,
  };
}

/** Which ids are not kept here, be it that they were trimmed or that this database is an older backup. */
function gapAfter(after: number, { first, latest }: { first: number; latest: number }) {
  if (after > latest) return { missing: { from: latest + 1, to: after }, resumeAfter: latest };
  if (after + 1 < first) return { missing: { from: after + 1, to: first - 1 }, resumeAfter: first - 1 };
  return undefined;
}

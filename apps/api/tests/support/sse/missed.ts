import { Database } from "bun:sqlite";
import { until } from "../wait.ts";
import type { GroupReport } from "./reader-process.ts";
import type { Readers } from "./readers.ts";

/**
 * What readers did not get of that which the database has, once no more is to come: one line for each
 * group of which a reader missed, doubled or reordered anything. Waits for those that are late.
 */
export async function missed(
  databasePath: string,
  readers: Pick<Readers, "report">,
  timeoutMs = 20_000,
): Promise<string[]> {
  const events = eventsOf(databasePath);
  const complaintsNow = async () => (await readers.report()).flatMap((report) => complain(report, events));
  return await until(
    "every reader has seen all",
    async () => ((await complaintsNow()).length === 0 ? [] : undefined),
    timeoutMs,
  ).catch(complaintsNow);
}

interface StoredEvent {
  id: number;
  projectId: string;
}

function complain({ path, after, ids, differing, complaints }: GroupReport, events: readonly StoredEvent[]): string[] {
  const isAsked = ({ id, projectId }: StoredEvent) =>
    id > after && (path === "/api/events" || path === `/api/projects/${projectId}/events`);
  const expected = events.filter(isAsked).map(({ id }) => id);
  const isComplete = expected.length === ids.length && expected.every((id, index) => id === ids[index]);
  const found = [
    ...(isComplete ? [] : [`a reader got ${ids.join()} of ${expected.join()}`]),
    ...(differing === 0 ? [] : [`${differing} readers got something else than another`]),
    ...complaints,
  ];
  return found.map((complaint) => `${path}: ${complaint}`);
}

function eventsOf(databasePath: string): StoredEvent[] {
  using db = new Database(databasePath, { readonly: true });
  const sql = `SELECT id, project_id AS "projectId" FROM events ORDER BY id`;
  return db.query<StoredEvent, []>(sql).all();
}

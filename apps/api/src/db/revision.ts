import type { Database } from "bun:sqlite";
import { prepared } from "./prepared.ts";

export interface RevisionOptions {
  /** How often to look for changes by other connections, in milliseconds: that reads the file, for 2 µs. */
  othersEveryMs?: number;
  now?: () => number;
}

/**
 * Gives a number that differs after every change of the database: at once for this connection's own,
 * a moment later for another's. It costs a tenth of a microsecond, so what follows from the database
 * can be kept until it changes.
 */
export function createRevision(
  db: Database,
  { othersEveryMs = 100, now = () => performance.now() }: RevisionOptions = {},
): () => number {
  const own = prepared<{ n: number }, []>(db, "SELECT total_changes() AS n");
  const others = prepared<{ data_version: number }, []>(db, "PRAGMA data_version");
  let seen = 0;
  let lookAt = -Infinity;
  return () => {
    const time = now();
    if (time >= lookAt) {
      seen = others.get()?.data_version ?? 0;
      lookAt = time + othersEveryMs;
    }
    return seen + (own.get()?.n ?? 0);
  };
}

import type { Database } from "bun:sqlite";

/** Runs a change that would rather fail at once than wait for another process's, which holds up every request. */
export function withoutWaiting<Result>(db: Database, change: () => Result): Result {
  const before = db.query<{ timeout: number }, []>("PRAGMA busy_timeout").get()?.timeout ?? 0;
  db.run("PRAGMA busy_timeout = 0");
  try {
    return change();
  } finally {
    db.run(`PRAGMA busy_timeout = ${before}`);
  }
}

import { Database } from "bun:sqlite";

// The API, killed as by `kill -9` around the commit that records the first idempotency key: right before
// it, or right after it and before anything is answered. DIE_AT says which: `before` or `after`.
const dieAt = process.env["DIE_AT"];

function dieIfRecorded(db: Database, here: string): void {
  if (here === dieAt && db.query("SELECT 1 FROM idempotency_keys").get() !== null) process.kill(process.pid, "SIGKILL");
}

type Work = (...args: unknown[]) => unknown;
type Transaction = Work & Record<"deferred" | "immediate" | "exclusive", Work>;
const begin: (this: Database, work: Work) => Transaction = Reflect.get(Database.prototype, "transaction");

Reflect.set(Database.prototype, "transaction", function dying(this: Database, work: Work): Transaction {
  const run = begin.call(this, (...args) => {
    const result = work(...args);
    dieIfRecorded(this, "before");
    return result;
  });
  const immediate: Work = (...args) => {
    const result = run.immediate(...args);
    if (!this.inTransaction) dieIfRecorded(this, "after");
    return result;
  };
  const { deferred, exclusive } = run;
  return Object.assign((...args: unknown[]) => run(...args), { deferred, exclusive, immediate });
});

await import("./light-api.ts");

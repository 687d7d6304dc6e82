import type { Database } from "bun:sqlite";

export type Checkpoints = { afterCommit(): void; close(): void };

export function createCheckpoints(db: Database): Checkpoints {
  return {
    afterCommit() {},
    close() {
      db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  };
}

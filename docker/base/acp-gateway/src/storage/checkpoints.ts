import { Database } from "bun:sqlite";
import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";
import { promisify } from "node:util";
import { closeDatabase, prepared } from "./prepared.ts";
import { messageOf } from "./storage-error.ts";

/** Moves what was committed from the write-ahead log into the database. */
export type Checkpoints = {
  /** `bytes`: what the commit wrote. */
  committed(bytes: number): void;
  /** Checkpoints all, then closes the database. */
  close(): void;
};

type CheckpointDeps = {
  db: Database;
  synchronous: "normal" | "off";
  report: (message: string, fields: Record<string, unknown>) => void;
};

const MiB = 1024 * 1024;
/** Written since the last checkpoint: copying this much takes some milliseconds. */
const DUE_BYTES = 2 * MiB;
/** At this length the write-ahead log is begun anew, which waits for the disk. */
const RESTART_BYTES = 64 * MiB;
/** Pages that even a small commit writes. */
const COMMIT_BYTES = 24 * 1024;

const sync = promisify(fdatasync);

/**
 * With `normal`, SQLite waits for the disk twice in each checkpoint, which can hold up the gateway for
 * hundreds of milliseconds. Here another thread waits, in the same order: the write-ahead log is on the
 * disk before its pages go into the database, and these are before the log may be overwritten. What
 * keeps it from being overwritten is a second connection that reads.
 */
export function createCheckpoints({ db, synchronous, report }: CheckpointDeps): Checkpoints {
  if (synchronous === "off") return createPlainCheckpoints(db);
  db.run("PRAGMA wal_autocheckpoint = 0");
  db.run(`PRAGMA journal_size_limit = ${RESTART_BYTES / 4}`);
  const keeper = new Database(db.filename, { strict: true });
  // To close a file that SQLite has open gives up its locks: this one is closed after the database.
  const file = openSync(db.filename, "r");
  const log = openSync(`${db.filename}-wal`, "r");
  let dueBytes = 0;
  let logBytes = 0;
  let isRunning = false;
  let isClosed = false;

  /** Copies without waiting for the disk. Returns how long the write-ahead log is. */
  function copy(): number {
    db.run("PRAGMA synchronous = OFF");
    try {
      return run("PASSIVE");
    } finally {
      db.run("PRAGMA synchronous = NORMAL");
    }
  }

  function run(mode: "PASSIVE" | "RESTART" | "TRUNCATE"): number {
    const row = db.query<{ log: number }, []>(`PRAGMA wal_checkpoint(${mode})`).get();
    return (row?.log ?? 0) * pageBytes;
  }

  async function checkpoint(): Promise<void> {
    if (!keeper.inTransaction) {
      keeper.run("BEGIN");
      prepared(keeper, "SELECT count(*) FROM meta").get();
    }
    dueBytes = 0;
    await sync(log);
    if (isClosed) return;
    logBytes = copy();
    await sync(file);
    if (isClosed) return;
    keeper.run("COMMIT");
    // Little is left of it by now, so the disk is waited for only for that.
    if (logBytes >= RESTART_BYTES) run("RESTART");
  }

  const pageBytes = db.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;

  return {
    committed(bytes) {
      dueBytes += bytes + COMMIT_BYTES;
      if (dueBytes < DUE_BYTES || isRunning || isClosed) return;
      isRunning = true;
      checkpoint()
        .catch((error: unknown) => report("the log's checkpoint failed", { error: messageOf(error) }))
        .finally(() => {
          isRunning = false;
        });
    },

    close() {
      isClosed = true;
      fdatasyncSync(file);
      closeDatabase(keeper);
      // Without a checkpoint, as on a full disk, the next start goes on from the write-ahead log.
      try {
        run("TRUNCATE");
      } catch (error) {
        report("the log's checkpoint failed", { error: messageOf(error) });
      }
      closeDatabase(db);
      closeSync(log);
      closeSync(file);
    },
  };
}

function createPlainCheckpoints(db: Database): Checkpoints {
  db.run("PRAGMA wal_autocheckpoint = 512");
  return { committed() {}, close: () => closeDatabase(db) };
}

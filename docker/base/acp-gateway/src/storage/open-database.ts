import { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { readMeta, writeMeta } from "./meta-table.ts";
import { migrate } from "./migrations.ts";
import { closeDatabase } from "./prepared.ts";
import { makePrivateFile } from "./private-file.ts";
import { lastSeqOf } from "./segment-table.ts";
import { removeOldSets, setAside, wasSetAside } from "./set-aside.ts";
import { DamageError, isDamage, isLock, messageOf, StorageError } from "./storage-error.ts";

type OpenOptions = {
  file: string;
  synchronous: "normal" | "off";
  now: () => Date;
  report: (message: string, fields: Record<string, unknown>) => void;
};

/** Larger than the usual 4 KiB: events come in runs of some ten KiB. */
const PAGE_BYTES = 8192;
/** A file up to this is read through at the start; of a larger one, the parts that the start needs. */
const CHECK_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Opens the file, or makes it, and brings it up to date. A damaged one is set aside and a new one begun.
 * @throws StorageError
 */
export function openDatabase(options: OpenOptions): Database {
  const { file, now, report } = options;
  let aside: string | undefined;
  try {
    return open(options, (error) => {
      if (isDamage(error)) aside = setAside(file, now());
    });
  } catch (error) {
    if (aside === undefined) throw asStorageError(file, error);
    const removed = removeOldSets(file);
    const advice = `"sqlite3 ${aside} .recover" reads what is left of it. Remove it once nobody needs it; the newest two are kept`;
    const fields = { file, aside, error: messageOf(error), advice, ...(removed.length > 0 && { removed }) };
    report("the log is damaged: set aside, and a new one begun", fields);
  }
  try {
    return open(options);
  } catch (error) {
    throw asStorageError(file, error);
  }
}

/** `failed` hears of it while the database is still open: to close it removes what lies beside it, used or not. */
function open({ file, synchronous, now }: OpenOptions, failed: (error: unknown) => void = () => {}): Database {
  const follows = wasSetAside(file);
  // SQLite would make the file readable to others; its companions get the same mode.
  makePrivateFile(file);
  const db = new Database(file, { strict: true });
  try {
    db.run("PRAGMA busy_timeout = 1000");
    db.run(`PRAGMA page_size = ${PAGE_BYTES}`);
    db.run("PRAGMA journal_mode = WAL");
    db.run(`PRAGMA synchronous = ${synchronous}`);
    db.run("PRAGMA foreign_keys = ON");
    db.run("PRAGMA temp_store = MEMORY");
    migrate(db);
    check(db, file);
    if (follows) skipNumbersOfLost(db, now());
    return db;
  } catch (error) {
    failed(error);
    closeDatabase(db);
    throw error;
  }
}

/** In a log that is begun anew every number is higher than any that the lost one can have given. */
function skipNumbersOfLost(db: Database, now: Date): void {
  if (readMeta(db, "last_seq") > 0 || lastSeqOf(db, null) > 0) return;
  const lost = now.getTime();
  // What tells that this is done is the last.
  writeMeta(db, "lost_through", lost);
  writeMeta(db, "last_seq", lost);
}

function check(db: Database, file: string): void {
  if (statSync(file).size <= CHECK_BYTES_MAX) {
    const row = db.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
    if (row?.quick_check !== "ok") throw new DamageError(row?.quick_check ?? "no answer");
    return;
  }
  db.run("SELECT * FROM event_segment ORDER BY first_seq DESC LIMIT 8");
  for (const table of ["session", "prompt", "permission", "elicitation", "event_trim", "meta"]) {
    db.run(`SELECT count(*) FROM ${table}`);
  }
}

function asStorageError(file: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (isLock(error)) {
    return new StorageError("locked", `${file} is in use by another process. Stop that gateway first.`, {
      cause: error,
    });
  }
  return new StorageError("cannot_open", `Cannot open ${file}: ${messageOf(error)}`, { cause: error });
}

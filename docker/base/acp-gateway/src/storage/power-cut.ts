import type { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { readMeta, readMetaText, writeMeta } from "./meta-table.ts";
import { lastSeqOf } from "./segment-table.ts";

/** More than can be in the system's buffers. */
const NUMBERS_LOST_MAX = 1_000_000;

/** Of this start of the system; empty where it does not tell. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/**
 * After a restart of the system the last commits may be missing, and readers may have had them. Leaves
 * out numbers, so that none is given twice: a reader would take the second event for one that it has.
 */
export function skipLostNumbers(db: Database, bootId: string): void {
  const known = readMetaText(db, "boot_id");
  if (known === bootId) return;
  const lastSeq = Math.max(readMeta(db, "last_seq"), lastSeqOf(db, null));
  db.transaction(() => {
    if (known !== undefined && lastSeq > 0) writeMeta(db, "last_seq", lastSeq + NUMBERS_LOST_MAX);
    writeMeta(db, "boot_id", bootId);
  }).immediate();
}

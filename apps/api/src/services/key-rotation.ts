import type { Database } from "bun:sqlite";
import { backupBeside } from "../db/backup.ts";
import { migrationStatus } from "../db/migrate.ts";
import { keepOldKey, swapKey, writeNextKey } from "./key-swap.ts";
import { countToReseal, resealAll } from "./sealed-values.ts";
import { createSecretBox } from "./secret-box.ts";
import { SecretKeyError } from "./secret-key.ts";

export interface KeyRotation {
  db: Database;
  current: Uint8Array;
  next: Uint8Array;
  /** The file whose key is replaced; null when the key is configured, which only its owner can change. */
  file: string | null;
  now: () => Date;
  /** Called before each step; tests stop the process here. */
  beforeStep?: ((step: RotationStep) => void) | undefined;
}

export const ROTATION_STEPS = ["backup", "next key", "reseal", "commit", "keep", "swap", "tidy", "done"] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

export interface RotationReport {
  from: string;
  to: string;
  /** How many values were sealed anew. */
  resealed: number;
  /** The database as it was before; null when nothing had to be sealed anew. */
  backup: string | null;
  /** Where the key from before is kept now. */
  keptKey: string | null;
}

/**
 * Seals everything with the next key, and makes that the present one where it is in a file. The
 * next key is on the disk before the transaction that uses it, and stands beside the present one
 * until that transaction is on the disk as well: `settleKeySwap` then knows what to do after a
 * crash at any point. Needs the database for itself.
 * @throws SecretKeyError, with nothing changed, when a value does not open; DatabaseError when there is no backup
 */
export function rotateKey({ db, current, next, file, now, beforeStep = () => {} }: KeyRotation): RotationReport {
  const [from, to] = [createSecretBox(current), createSecretBox(next)];
  if (from.keyId === to.keyId)
    throw new SecretKeyError(`The new key is the present one (${to.keyId}). Choose another.`);
  const resealed = countToReseal(db, from, to);
  let backup: string | null = null;
  if (resealed > 0) {
    beforeStep("backup");
    backup = backupBeside(db, db.filename, { version: migrationStatus(db).version, now: now() });
  }
  if (file !== null) {
    beforeStep("next key");
    writeNextKey(file, next);
  }
  beforeStep("reseal");
  // The commit has to outlive a power cut before the old key may go.
  db.run("PRAGMA synchronous = FULL");
  db.transaction(() => {
    resealAll(db, from, to);
    beforeStep("commit");
  }).immediate();
  let keptKey: string | null = null;
  if (file !== null) {
    beforeStep("keep");
    keptKey = keepOldKey(file, from);
    beforeStep("swap");
    swapKey(file);
  }
  beforeStep("tidy");
  // Pages that are no longer used, and the log, still hold what the old key opens.
  db.run("VACUUM");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  beforeStep("done");
  return { from: from.keyId, to: to.keyId, resealed, backup, keptKey };
}

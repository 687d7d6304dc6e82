import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { linkFile, syncFolderOf } from "../db/files.ts";
import { createSecretBox, type SecretBox } from "./secret-box.ts";
import { readKey, SecretKeyError } from "./secret-key.ts";
import { opensAny } from "./sealed-values.ts";

/** 64 hex digits and a line's end. */
const KEY_FILE_BYTES = 65;

/** Where the key stands that is about to take the place of `file`. */
export const nextKeyFile = (file: string): string => `${file}.next`;

/** Where a key is kept that is not the present one: a backup may need it. */
export const keptKeyFile = (file: string, keyId: string): string => `${file}.${keyId}`;

/** Returns when the key is on the disk, beside the present one. */
export function writeNextKey(file: string, key: Uint8Array): void {
  const path = nextKeyFile(file);
  const descriptor = openSync(path, "wx", 0o600);
  try {
    writeFileSync(descriptor, `${Buffer.from(key).toString("hex")}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolderOf(path);
}

/** Keeps the present key under its id; again and again with the same end. Returns where. */
export function keepOldKey(file: string, { keyId }: SecretBox): string {
  const kept = keptKeyFile(file, keyId);
  try {
    linkFile(file, kept);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  syncFolderOf(file);
  return kept;
}

/** Makes the next key the present one. */
export function swapKey(file: string): void {
  renameSync(nextKeyFile(file), file);
  syncFolderOf(file);
}

/**
 * Brings a rotation that was cut off to its end: finished when the database has its part already,
 * which is one transaction, and undone otherwise. `none` when there is none.
 * @throws SecretKeyError when neither would be right
 */
export function settleKeySwap(db: Database, file: string): "none" | "finished" | "undone" {
  const path = nextKeyFile(file);
  if (!existsSync(path)) return "none";
  const present = boxOf(file);
  const opensPresent = present !== undefined && opensAny(db, present);
  // Shorter than it is written: cut off by a crash, before anything was sealed with it.
  const next = statSync(path).size < KEY_FILE_BYTES ? undefined : boxOf(path);
  if (next !== undefined && opensAny(db, next)) {
    if (opensPresent) throw inTwo(file);
    if (present !== undefined) keepOldKey(file, present);
    swapKey(file);
    return "finished";
  }
  // Kept, as it may be the key of another database that shares this folder.
  if (next === undefined) rmSync(path);
  else renameSync(path, keptKeyFile(file, next.keyId));
  syncFolderOf(file);
  return "undone";
}

function boxOf(path: string): SecretBox | undefined {
  const key = readKey(path);
  return key && createSecretBox(key);
}

function inTwo(file: string): SecretKeyError {
  const fix = `restore the backup from before the rotation, or keep one of the files and store again what the other sealed`;
  return new SecretKeyError(
    `Some stored secrets open with ${file}, others with ${nextKeyFile(file)}, which was to replace it: ${fix}.`,
  );
}

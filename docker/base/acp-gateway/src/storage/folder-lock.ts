import { Database } from "bun:sqlite";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makePrivateFile } from "./private-file.ts";
import { isLock, messageOf, StorageError } from "./storage-error.ts";

/**
 * Keeps other processes out of a folder until the returned function is called or this process ends.
 * SQLite's lock on an empty database is one that the system gives back when a process is killed.
 * @throws StorageError locked, cannot_open
 */
export function lockFolder(folder: string): () => void {
  let db: Database | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const file = join(folder, "gateway.lock");
    makePrivateFile(file);
    const held = new Database(file);
    db = held;
    held.run("BEGIN EXCLUSIVE");
    return () => held.close();
  } catch (error) {
    db?.close();
    if (isLock(error)) {
      const message = `${folder} is in use by another gateway. Stop that one, or give this one its own folder.`;
      throw new StorageError("locked", message, { cause: error });
    }
    throw new StorageError("cannot_open", `Cannot work in ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

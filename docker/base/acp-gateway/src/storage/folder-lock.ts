import { Database } from "bun:sqlite";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makePrivateFile } from "./private-file.ts";
import { isLock, messageOf, StorageError } from "./storage-error.ts";

const NAME = "gateway.lock";

/**
 * Keeps other gateways out of a folder until the returned function is called or this process ends, and
 * makes `log` in it writable, which one that was killed has left as it was.
 * SQLite's lock on an empty database is one that the system gives back when a process is killed.
 * @throws StorageError locked, cannot_open
 */
export function lockFolder(folder: string): () => void {
  const held: Database[] = [];
  const unlock = (): void => held.forEach((db) => db.close());
  const hold = (file: string): void => {
    const db = new Database(file);
    held.push(db);
    // No journal beside it: where one was left, nothing can be removed before the lock is held.
    db.run("PRAGMA journal_mode = MEMORY");
    db.run("BEGIN EXCLUSIVE");
  };
  try {
    const place = join(folder, "log");
    mkdirSync(place, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const file = join(place, NAME);
    if (!existsSync(file)) {
      chmodSync(place, 0o700);
      makePrivateFile(file);
    }
    hold(file);
    // A gateway of an earlier release has its lock here.
    if (existsSync(join(folder, NAME))) hold(join(folder, NAME));
    chmodSync(place, 0o700);
    return unlock;
  } catch (error) {
    unlock();
    if (isLock(error)) {
      const message = `${folder} is in use by another gateway. Stop that one, or give this one its own folder.`;
      throw new StorageError("locked", message, { cause: error });
    }
    throw new StorageError("cannot_open", `Cannot work in ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

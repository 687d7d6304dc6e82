import { closeSync, existsSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Database } from "bun:sqlite";
import { DatabaseError, messageOf } from "./error.ts";

export interface DatabaseLock {
  release: () => void;
}

/** A connection that is collected would free its lock without a word. */
const held = new Set<Database>();

/**
 * Claims the database at `path` for this process until `release`. The claim is a SQLite lock on
 * `<path>.lock`, so the kernel frees it however the process ends. Fails with `locked` when another
 * process holds it for longer than `waitMs`. In-memory databases need none.
 */
export function acquireDatabaseLock(path: string, options: { waitMs?: number } = {}): DatabaseLock {
  if (path === ":memory:") return { release: () => {} };
  let connection: Database | undefined;
  try {
    const file = `${canonicalPath(path)}.lock`;
    closeSync(openSync(file, "a", 0o600));
    connection = new Database(file, { strict: true, readwrite: true, create: true });
    connection.run(`PRAGMA busy_timeout = ${options.waitMs ?? 0}`);
    connection.run("BEGIN EXCLUSIVE");
  } catch (error) {
    connection?.close();
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") {
      const message = `Another AgentPod process uses ${resolve(path)}. Stop it first, or set another DATABASE_PATH.`;
      throw new DatabaseError("locked", message, { cause: error });
    }
    const message = `Cannot lock the database ${resolve(path)}: ${messageOf(error)}`;
    throw new DatabaseError("cannot_open", message, { cause: error });
  }
  const lock = connection;
  held.add(lock);
  return {
    release: () => {
      if (held.delete(lock)) lock.close();
    },
  };
}

/** The same file for every name it has, so that a symbolic link is no way around the lock. */
function canonicalPath(path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return realpathSync(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return join(realpathSync(dirname(file)), basename(file));
}

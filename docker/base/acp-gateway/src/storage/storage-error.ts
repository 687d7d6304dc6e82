import { SQLiteError } from "bun:sqlite";

/** Why a database cannot be used. The message is one line and says what helps. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly failure: "locked" | "newer" | "cannot_open";

  constructor(failure: StorageError["failure"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

const codeOf = (error: unknown): string => (error instanceof SQLiteError ? (error.code ?? "") : "");

/** SQLite's own check found something wrong. */
export class DamageError extends Error {
  override readonly name = "DamageError";
}

/** The file's content is not what SQLite wrote. */
export const isDamage = (error: unknown): boolean =>
  error instanceof DamageError || /^SQLITE_(?:CORRUPT|NOTADB)/.test(codeOf(error));

/** Another process holds the file. */
export const isLock = (error: unknown): boolean => /^SQLITE_(?:BUSY|LOCKED)/.test(codeOf(error));

/** The disk or the file failed, not the statement: the same may work later. */
export const isDiskFailure = (error: unknown): boolean =>
  /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN|NOMEM|PROTOCOL|CORRUPT|NOTADB|BUSY|LOCKED)/.test(codeOf(error));

/** What went wrong, in one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");

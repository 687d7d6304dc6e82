/**
 * - `cannot_open`: missing, unreadable or not a SQLite file
 * - `locked`: another process works on it
 * - `foreign`: it holds tables that are not AgentPod's
 * - `newer`, `changed`, `gap`: its migrations do not fit this build's
 * - `exists`: a file that would be overwritten
 * - `corrupt`: it fails its integrity check
 * - `backup_failed`, `migration_failed`: the database is as it was before
 */
export type DatabaseFailure =
  | "cannot_open"
  | "locked"
  | "foreign"
  | "newer"
  | "changed"
  | "gap"
  | "exists"
  | "corrupt"
  | "backup_failed"
  | "migration_failed";

/** What db/ fails with. The message is one line and says what helps. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly failure: DatabaseFailure;

  constructor(failure: DatabaseFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** What went wrong, in one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, " ");

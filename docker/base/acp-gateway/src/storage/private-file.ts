import { closeSync, openSync } from "node:fs";

/**
 * Makes an empty file that only this user can read; leaves one that is there alone, even unopened: to
 * close it again would give up the locks that this process has on it.
 */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

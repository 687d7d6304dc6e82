import { chmodSync, closeSync, fstatSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * While the database is open its folder takes no changes: `git clean` and the like, which run as the same
 * user, can remove nothing of it. SQLite has made all its files by then, and needs no others.
 */
export function guardDatabase(file: string) {
  const folder = dirname(file);
  const descriptor = openSync(file, "r");
  chmodSync(folder, 0o500);

  return {
    /** Root and others that modes do not hold have removed it: what is written now is lost. */
    isGone: () => fstatSync(descriptor).nlink === 0,

    /** `close` closes the database, which removes files. */
    end(close: () => void): void {
      try {
        chmodSync(folder, 0o700);
      } catch {
        // The folder is gone as well.
      }
      close();
      // To close a file that SQLite has open gives up its locks.
      closeSync(descriptor);
    },
  };
}

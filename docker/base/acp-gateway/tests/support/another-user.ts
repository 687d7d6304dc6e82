import { chownSync } from "node:fs";

const ID = 65_534;
const isRoot = process.getuid?.() === 0;

/** What stands before a command that is to run as a user whom the modes of files hold. */
export const AS_ANOTHER_USER = isRoot ? ["setpriv", `--reuid=${ID}`, `--regid=${ID}`, "--clear-groups"] : [];

/** Lets that user have the file or folder. */
export function giveAway(path: string): void {
  if (isRoot) chownSync(path, ID, ID);
}

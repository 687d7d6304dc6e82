import { lstatSync, renameSync } from "node:fs";
import { GatewayError } from "../gateway-error.ts";
import { type Conditions, requireConditions } from "./conditions.ts";
import type { Place } from "./confinement.ts";
import { codeOf, fileError, shown } from "./failure.ts";
import { syncFolder } from "./file-io.ts";
import type { Libc } from "./libc.ts";
import { renameToFree } from "./replace-file.ts";

type MoveOptions = {
  /** A file that is there already may be replaced by a file. */
  overwrite: boolean;
  conditions: Conditions;
  libc: Libc | null;
};

/** Renames a file, a folder or a link in one step. True when nothing of the new name was there before. */
export async function moveEntry(
  from: Place,
  to: Place,
  { overwrite, conditions, libc }: MoveOptions,
): Promise<boolean> {
  const source = from.folder.at(from.name);
  const target = to.folder.at(to.name);
  const stat = lstatSync(source, { bigint: true, throwIfNoEntry: false });
  requireConditions(conditions, stat);
  if (!stat) throw fileError("ENOENT", from.path) ?? new Error("ENOENT");
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) {
    throw new GatewayError("special_file", `${shown(from.path)}: it is neither a file nor a folder`);
  }
  const inTheWay = lstatSync(target, { throwIfNoEntry: false });
  const replaces = overwrite && inTheWay?.isFile() === true && stat.isFile();
  try {
    if (replaces) renameSync(source, target);
    const refused = replaces ? undefined : renameToFree(libc, source, target);
    if (refused !== undefined) throw fileError(refused, to.path) ?? new Error(`renameat2: ${refused}`);
  } catch (error) {
    if (codeOf(error) !== "EINVAL") throw error;
    throw new GatewayError("file_conflict", `${shown(from.path)}: a folder cannot be moved into itself`);
  }
  await syncFolder(to.folder);
  await syncFolder(from.folder);
  return !replaces;
}

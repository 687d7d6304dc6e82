import { closeSync, constants, lstatSync, openSync, rmdirSync, unlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { GatewayError } from "../gateway-error.ts";
import { anchorOf, FIND_FOLDER } from "./anchor.ts";
import { type Conditions, requireConditions } from "./conditions.ts";
import type { Place } from "./confinement.ts";
import { codeOf, fileError } from "./failure.ts";
import { syncFolder } from "./file-io.ts";

/** Each level holds one open folder. */
const DEPTH_MAX = 256;
/** Entries removed before others have their turn. */
const AT_ONCE = 256;

/**
 * Removes a file, a link (never what it leads to), or a folder, with all in it only when `recursive`.
 * Each entry is removed through its open folder, so a link put there meanwhile is removed itself.
 */
export async function removeEntry(place: Place, recursive: boolean, conditions: Conditions): Promise<void> {
  const path = place.folder.at(place.name);
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  requireConditions(conditions, stat);
  if (!stat) throw fileError("ENOENT", place.path) ?? new Error("ENOENT");
  if (!stat.isDirectory()) unlinkSync(path);
  else if (recursive) await removeFolder(path, createTurns(), 0);
  else rmdirSync(path);
  await syncFolder(place.folder);
}

async function removeFolder(
  path: string | Buffer,
  turn: () => Promise<void> | undefined,
  depth: number,
): Promise<void> {
  if (depth > DEPTH_MAX) {
    throw new GatewayError("file_conflict", `folders are nested deeper than ${DEPTH_MAX}; remove the inner ones first`);
  }
  const fd = openSync(path, FIND_FOLDER | constants.O_NOFOLLOW);
  try {
    const anchor = Buffer.from(`${anchorOf(fd)}/`);
    // Names are kept as bytes: not every one is UTF-8.
    for (const name of await readdir(anchor, { encoding: "buffer" })) {
      await removeOne(Buffer.concat([anchor, name]), turn, depth);
      await turn();
    }
  } finally {
    closeSync(fd);
  }
  rmdirSync(path);
}

async function removeOne(path: Buffer, turn: () => Promise<void> | undefined, depth: number): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  try {
    if (stat.isDirectory()) await removeFolder(path, turn, depth + 1);
    else unlinkSync(path);
  } catch (error) {
    // Gone meanwhile is as good as removed.
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function createTurns(): () => Promise<void> | undefined {
  let removed = 0;
  return () => ((removed += 1) % AT_ONCE === 0 ? Bun.sleep(0) : undefined);
}

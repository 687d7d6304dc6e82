import { fstatSync, lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { FileEntry, FolderPage } from "../wire/file.ts";
import type { Confinement, Folder } from "./confinement.ts";
import { createPatience, entryOf, settled } from "./entry.ts";
import { codeOf } from "./failure.ts";
import { isUsableName, type Segments } from "./path.ts";
import { isTemporary, removeAbandoned } from "./temporary.ts";

/** How long a page may wait in all for entries that were changed this very moment. */
const PATIENCE_MS = 200;
/** Entries looked at before others have their turn. */
const AT_ONCE = 256;

type PageOptions = {
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
};

/**
 * A page of a folder by name, in the order of UTF-16 code units. What is there all the time is on
 * just one page, whatever comes and goes between the pages.
 */
export async function listFolder(
  confinement: Confinement,
  base: string,
  names: Segments,
  { cursor, limit }: PageOptions,
): Promise<FolderPage> {
  using folder = confinement.openFolder(base, names);
  const found = await readdir(folder.at("."), { encoding: "buffer" });
  const usable = usableNames(confinement, folder, found);
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const rest = after === undefined ? usable : usable.slice(countUpTo(usable, after));
  const page = rest.slice(0, limit);
  const patience = createPatience(PATIENCE_MS);
  const entries: FileEntry[] = [];
  for (const [index, name] of page.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await Bun.sleep(0);
    const entry = await look(folder, name, patience);
    if (entry) entries.push(entry);
  }
  const { stat, etag } = await settled(() => fstatSync(folder.fd, { bigint: true }), patience);
  const last = page.at(-1);
  return {
    path: names.join("/"),
    mtime: entryOf("", stat, etag).mtime,
    etag,
    entries,
    nextCursor: last !== undefined && rest.length > page.length ? encodeCursor(last) : null,
    omitted: found.length - usable.length,
  };
}

function usableNames(confinement: Confinement, folder: Folder, found: readonly Buffer[]): string[] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const usable: string[] = [];
  for (const bytes of found) {
    const name = decodeName(decoder, bytes);
    if (name === undefined || !isUsableName(name) || confinement.isHidden(`${folder.path}/${name}`)) continue;
    if (isTemporary(name)) removeAbandoned(folder, name);
    else usable.push(name);
  }
  return usable.toSorted();
}

async function look(folder: Folder, name: string, patience: (ms: number) => boolean): Promise<FileEntry | undefined> {
  try {
    const { stat, etag } = await settled(() => lstatSync(folder.at(name), { bigint: true }), patience);
    return entryOf(name, stat, etag);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function decodeName(decoder: TextDecoder, bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const encodeCursor = (name: string): string => Buffer.from(name).toString("base64url");
const decodeCursor = (cursor: string): string => Buffer.from(cursor, "base64url").toString();

/** How many of the ordered names are not behind `name`. */
function countUpTo(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? "") <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}

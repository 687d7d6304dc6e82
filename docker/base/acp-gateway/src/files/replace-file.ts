import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { GatewayError } from "../gateway-error.ts";
import { type Conditions, requireConditions } from "./conditions.ts";
import type { Place } from "./confinement.ts";
import { type State, settled } from "./entry.ts";
import { fileError, shown } from "./failure.ts";
import type { Libc } from "./libc.ts";
import { syncFile, syncFolder, writeAll } from "./file-io.ts";
import { temporaryName } from "./temporary.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const PRIVATE = 0o600;
const PERMISSIONS = 0o777;
/** How often somebody else may make the file in the moment between looking and renaming. */
const ATTEMPTS = 8;

export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

type ReplaceOptions = { maxBytes: number; conditions: Conditions; libc: Libc | null };

/**
 * Puts a file in place in one step: whoever looks sees the old content or the new one, on disk, and
 * never a part. A file that is replaced keeps its permissions.
 */
export async function replaceFile(
  place: Place,
  content: Content,
  { maxBytes, conditions, libc }: ReplaceOptions,
): Promise<{ created: boolean; state(): Promise<State>; done(): void }> {
  const target = place.folder.at(place.name);
  requireConditions(conditions, replaceable(place));
  const temporary = place.folder.at(temporaryName());
  const fd = openSync(temporary, NEW_FILE, PRIVATE);
  let unnamed = true;
  try {
    await writeBounded(fd, content, maxBytes);
    const before = replaceable(place);
    fchmodSync(fd, before ? Number(before.mode) & PERMISSIONS : 0o666 & ~process.umask());
    await syncFile(fd);
    const created = rename(place, temporary, target, conditions, libc);
    unnamed = false;
    await syncFolder(place.folder);
    return {
      created,
      state: () => settled(() => fstatSync(fd, { bigint: true })),
      done: () => closeSync(fd),
    };
  } catch (error) {
    if (unnamed) rmSync(temporary, { force: true });
    closeSync(fd);
    throw error;
  }
}

/** From the last look to the rename nothing else of this process runs. True when there was no file before. */
function rename(place: Place, from: string, to: string, conditions: Conditions, libc: Libc | null): boolean {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const current = replaceable(place);
    requireConditions(conditions, current);
    if (current) {
      renameSync(from, to);
      return false;
    }
    const refused = renameToFree(libc, from, to);
    if (refused === undefined) return true;
    if (refused !== "EEXIST") throw fileError(refused, place.path) ?? new Error(`renameat2: ${refused}`);
  }
  throw new GatewayError("file_conflict", `${shown(place.path)}: it comes and goes; try again`);
}

/** Renames unless the new name is taken, which is told as EEXIST. */
export function renameToFree(libc: Libc | null, from: string, to: string): string | undefined {
  const refused = libc === null ? "ENOSYS" : libc.renameToFree(from, to);
  // Not every file system and kernel has this call; then the last look must do.
  if (refused !== "ENOSYS" && refused !== "EINVAL") return refused;
  if (lstatSync(to, { throwIfNoEntry: false })) return "EEXIST";
  renameSync(from, to);
  return undefined;
}

function replaceable({ folder, name, path }: Place): BigIntStats | undefined {
  const stat = lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false });
  if (!stat || stat.isFile()) return stat;
  if (stat.isDirectory()) throw new GatewayError("file_conflict", `${shown(path)}: a folder is in the way`);
  if (stat.isSymbolicLink()) throw new GatewayError("file_conflict", `${shown(path)}: a link to nothing is in the way`);
  throw new GatewayError("special_file", `${shown(path)}: it is neither a file nor a folder`);
}

async function writeBounded(fd: number, content: Content, maxBytes: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of received(content)) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new GatewayError("body_too_large", `a file can have ${maxBytes} bytes`, {
        headers: { connection: "close" },
      });
    }
    await writeAll(fd, chunk);
  }
}

/** The content; that it broke off is the sender's doing. */
async function* received(content: Content): AsyncGenerator<Uint8Array, void> {
  try {
    yield* content;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError("invalid_request", "the body broke off before its end");
  }
}

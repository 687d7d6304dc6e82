import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { discard, linkFile, sync, syncFolderOf } from "../db/files.ts";

const KEY_BYTES = 32;

/** Where the key is that is not configured. */
export const keyFile = (dataDir: string): string => join(dataDir, "encryption.key");

/** The message is one line, says what helps, and holds no part of a key. */
export class SecretKeyError extends Error {
  override readonly name = "SecretKeyError";
}

/**
 * The 32 bytes that secrets are sealed with: `configured` (64 hex digits or base64), else what
 * `file` holds. A missing file is made, 0600, with a random key; of several processes that do so
 * at once all get the same.
 * @throws SecretKeyError for a key that is none, or a file that others can read
 */
export function loadOrCreateKey({ configured, file }: { configured?: string | undefined; file: string }): Uint8Array {
  if (configured !== undefined && configured !== "") {
    return parseKey(configured, "ENCRYPTION_KEY");
  }
  const path = resolve(file);
  try {
    return readKey(path) ?? createKey(path);
  } catch (error) {
    if (error instanceof SecretKeyError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SecretKeyError(`Cannot use the key file ${path}: ${reason}`, { cause: error });
  }
}

/**
 * The key that a file holds; undefined when it is not there.
 * @throws SecretKeyError for one that holds none, or that others can read
 */
export function readKey(path: string): Uint8Array | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    throw new SecretKeyError(`Others can read the key file ${path}. Make it private: chmod 600 '${path}'`);
  }
  return parseKey(readFileSync(path, "utf8").trim(), `The key file ${path}`);
}

function createKey(path: string): Uint8Array {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.part-${crypto.randomUUID()}`;
  const key = randomBytes(KEY_BYTES);
  try {
    writeFileSync(part, `${key.toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    sync(part);
    linkFile(part, path);
    syncFolderOf(path);
    return new Uint8Array(key);
  } catch (error) {
    const made = error instanceof Error && "code" in error && error.code === "EEXIST" ? readKey(path) : undefined;
    if (made === undefined) throw error;
    return made;
  } finally {
    discard(part);
  }
}

/** @throws SecretKeyError, which names `source` */
export function parseKey(text: string, source: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"));
  const advice = "it must be 32 bytes as 64 hex digits or base64; `openssl rand -hex 32` makes one";
  throw new SecretKeyError(`${source} holds no key: ${advice}.`);
}

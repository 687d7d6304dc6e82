import type { BigIntStats } from "node:fs";
import type { FileEntry } from "../wire/file.ts";

/** The kernel's clock for timestamps moves in steps of 10 ms at most; where a stamp is whole seconds, of 2 s. */
const TICK_MS = 12n;
const COARSE_TICK_MS = 2000n;
const NS = 1_000_000n;
const TRIES = 3;

/** What a file is like, and the ETag that means just that. */
export type State = { stat: BigIntStats; etag: string };

/** One entry of a folder, as it is. Links and special files are named, and nothing else is told of them. */
export function entryOf(name: string, stat: BigIntStats, etag: string): FileEntry {
  const mtime = new Date(Number(stat.mtimeNs / NS)).toISOString();
  if (stat.isFile()) return { name, type: "file", size: Number(stat.size), mtime, etag };
  if (stat.isDirectory()) return { name, type: "folder", size: null, mtime, etag };
  return { name, type: stat.isSymbolicLink() ? "link" : "other", size: null, mtime, etag: null };
}

/**
 * The strong ETag of a state. ctime is part of it because, unlike mtime, no program can set it back.
 * It names one content only where no later change can carry the same ctime: see `settled`.
 */
export function tagOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs, ctimeNs].map((part) => part.toString(36)).join("-")}"`;
}

/**
 * A state and its ETag, once the tick of the clock in which it changed last is over, so that the
 * next change has another. What changes all the time gets a tag that nothing else will ever have.
 */
export async function settled(look: () => BigIntStats, patience = createPatience()): Promise<State> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const now = BigInt(Date.now());
    const stat = look();
    const missing = missingMs(stat, now);
    if (missing <= 0) return { stat, etag: tagOf(stat) };
    if (!patience(missing)) break;
    await Bun.sleep(missing);
  }
  const stat = look();
  return { stat, etag: `${tagOf(stat).slice(0, -1)}-${crypto.randomUUID()}"` };
}

/** Says whether so many milliseconds may still be waited, all in all. */
export function createPatience(totalMs = 3 * Number(COARSE_TICK_MS)): (ms: number) => boolean {
  let left = totalMs;
  return (ms) => (left -= ms) >= 0;
}

/** How long until the state's tick is over, seen from `now`, in milliseconds since the epoch. */
export function missingMs({ ctimeNs }: BigIntStats, now: bigint): number {
  const tick = ctimeNs % 1_000_000_000n === 0n ? COARSE_TICK_MS : TICK_MS;
  const missing = ctimeNs / NS + tick - now + 1n;
  // A stamp from the future (a clock that was set back) tells nothing; waiting for it would take for ever.
  return Number(missing > tick + 1n ? tick : missing);
}

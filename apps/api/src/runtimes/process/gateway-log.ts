import { copyFile, open, stat, truncate, type FileHandle } from "node:fs/promises";

const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** How much of the end of a log is ever read at once. */
const TAIL_BYTES_MAX = 4 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** 0 for a log that is not there yet. */
export async function logSize(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Sets a log that has grown too long aside as `<path>.1` and empties it in place, as its writer keeps it open. */
export async function boundLog(path: string, bytesMax = LOG_BYTES_MAX): Promise<void> {
  if ((await logSize(path)) <= bytesMax) return;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}

export interface LogPart {
  bytes: Uint8Array;
  /** Where reading goes on. */
  end: number;
}

/**
 * The last `lines` lines behind `from`, at most some megabytes; an unfinished last line counts as
 * one. Where the log was cut meanwhile, all of it counts.
 */
export async function readTail(path: string, lines: number, from = 0): Promise<LogPart> {
  return withLog(path, async (file, size) => {
    const first = Math.max(from > size ? 0 : from, size - TAIL_BYTES_MAX);
    const blocks: Buffer[] = [];
    let left = lines;
    for (let start = size; start > first && left > 0;) {
      const length = Math.min(BLOCK_BYTES, start - first);
      start -= length;
      const block = Buffer.alloc(length);
      await file.read(block, 0, length, start);
      let cut = length;
      // The newline at the very end begins no further line.
      if (start + cut === size && block[cut - 1] === NEWLINE) cut -= 1;
      while (left > 0 && cut > 0) {
        cut = block.lastIndexOf(NEWLINE, cut - 1);
        if (cut >= 0) left -= 1;
      }
      blocks.unshift(left === 0 ? block.subarray(cut + 1) : block);
    }
    return { bytes: Buffer.concat(blocks), end: size };
  });
}

/** The next part behind `from`; from the beginning when the log was cut meanwhile. */
export async function readSince(path: string, from: number): Promise<LogPart> {
  return withLog(path, async (file, size) => {
    const start = from > size ? 0 : from;
    const length = Math.min(BLOCK_BYTES, size - start);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return { bytes: buffer.subarray(0, bytesRead), end: start + bytesRead };
  });
}

/** A log that is not there, or not any more, is an empty one. */
async function withLog(path: string, read: (file: FileHandle, size: number) => Promise<LogPart>): Promise<LogPart> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  if (!file) return { bytes: new Uint8Array(), end: 0 };
  try {
    return await read(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

const FIRST_BYTES = 16 * 1024;
/** Within this a line begins, or output is no lines. */
const LINE_BYTES_MAX = 4096;
const NEWLINE = 0x0a;

export type Scrollback = ReturnType<typeof createScrollback>;

/** The last bytes of a terminal's output. Places in it count from the first byte ever. */
export function createScrollback(bytesMax: number) {
  let ring = new Uint8Array(Math.min(FIRST_BYTES, bytesMax));
  let end = 0;

  function grow(needed: number): void {
    if (ring.length === bytesMax || needed <= ring.length) return;
    const larger = new Uint8Array(Math.min(bytesMax, Math.max(needed, ring.length * 2)));
    // Until it is as large as it may be, nothing in it has wrapped around.
    larger.set(ring.subarray(0, end));
    ring = larger;
  }

  function start(): number {
    return Math.max(0, end - ring.length);
  }

  /** Up to `max` bytes from a place on that is still kept. They hold until the next `push`. */
  function read(from: number, max: number): Uint8Array {
    const position = from % ring.length;
    return ring.subarray(position, Math.min(ring.length, position + Math.min(max, end - from)));
  }

  return {
    end: () => end,
    read,

    push(bytes: Uint8Array): void {
      const kept = bytes.length > bytesMax ? bytes.subarray(bytes.length - bytesMax) : bytes;
      grow(end + bytes.length);
      end += bytes.length - kept.length;
      const position = end % ring.length;
      const first = kept.subarray(0, ring.length - position);
      ring.set(first, position);
      ring.set(kept.subarray(first.length), 0);
      end += kept.length;
    },

    /** Where a viewer that wants everything from `from` on can begin: there, or at a line that is kept. */
    entrance(from: number): number {
      if (from >= start()) return Math.min(from, end);
      const head = read(start(), LINE_BYTES_MAX);
      const newline = head.indexOf(NEWLINE);
      if (newline >= 0) return start() + newline + 1;
      // At least not within a character.
      let skipped = 0;
      while (skipped < 3 && ((head[skipped] ?? 0) & 0xc0) === 0x80) skipped += 1;
      return start() + skipped;
    },
  };
}

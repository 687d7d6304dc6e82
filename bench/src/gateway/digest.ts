import { LAST } from "./updates.ts";

const FRAME_END = "\n\n";
/** More than what can follow the last update. */
const END_BYTES = 16_384;

/**
 * A checksum over whole server-sent events up to the last update, wherever the pieces they come in are
 * cut. Cheap enough for a dozen readers beside what is measured.
 */
export function createDigest() {
  let rest: Buffer = Buffer.alloc(0);
  let isOpening = true;
  let isOver = false;
  let checksum = 0;
  let bytes = 0;
  let position = 0;

  function take(whole: Buffer): void {
    checksum = Bun.hash.crc32(whole, checksum);
    bytes += whole.length;
    const last = whole.lastIndexOf("\nid: ") + 1;
    position = Number(whole.toString("latin1", last + "id: ".length, whole.indexOf(10, last)));
  }

  return {
    push(piece: Buffer): void {
      if (isOver) return;
      let all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      // A stream opens with fields that are no event.
      if (isOpening && all.includes(FRAME_END)) {
        all = all.subarray(all.indexOf(FRAME_END) + FRAME_END.length);
        isOpening = false;
      }
      let end = all.lastIndexOf(FRAME_END) + FRAME_END.length;
      if (isOpening || end < FRAME_END.length) {
        rest = all;
        return;
      }
      // What comes behind the last update, and when, differs.
      const last = all.indexOf(LAST, Math.max(0, end - END_BYTES));
      if (last >= 0 && last < end) {
        end = all.indexOf(FRAME_END, last) + FRAME_END.length;
        isOver = true;
      }
      take(all.subarray(0, end));
      rest = all.subarray(end);
    },

    /** A new connection goes on behind the last whole event. */
    reconnect(): void {
      rest = Buffer.alloc(0);
      isOpening = true;
    },

    /** Number of the last whole event. */
    position: () => position,
    text: () => `${bytes} bytes, ${checksum.toString(16)}`,
  };
}

import { cutText } from "../cut-text.ts";
import type { LogReader } from "../types.ts";
import { cutFrames } from "./frames.ts";

const PAGE_BYTES = 1024 * 1024;
/** Of one event in a page. What is larger is shortened unless all of it was asked for. */
const EVENT_LENGTH_MAX = 64 * 1024;
const STRING_LENGTH_MAX = 8 * 1024;

type PageOptions = { limit: number; full: boolean };

/** JSON text of the next events: `{ events, after, more }`, of at most `limit` and about 1 MiB. */
export function readPage(reader: LogReader, { limit, full }: PageOptions): string {
  const events: string[] = [];
  let length = 0;
  let count = 0;
  let after = reader.position;
  let more = false;
  while (!more) {
    const before = reader.position;
    const frames = reader.next(PAGE_BYTES);
    if (frames === null) {
      // It looks through a part of a long log at a time.
      more = reader.position !== before;
      after = reader.position;
      break;
    }
    for (const { seq, data } of cutFrames(frames)) {
      if (count >= limit || length >= PAGE_BYTES) {
        more = true;
        break;
      }
      const text = full || data.length <= EVENT_LENGTH_MAX ? data : shortened(data);
      events.push(text);
      length += text.length;
      // A gap that tells of other sessions does not move the cursor: with it alone, the next page were the same.
      if (seq > after) count += 1;
      after = Math.max(after, seq);
    }
    // Past the last frame the reader may have left out others by their type.
    if (!more) after = reader.position;
  }
  return `{"events":[${events.join(",")}],"after":${after},"more":${more}}`;
}

function shortened(data: string): string {
  return JSON.stringify(JSON.parse(data), (_key, value: unknown) => {
    if (typeof value !== "string" || value.length <= STRING_LENGTH_MAX) return value;
    const cut = cutText(value, STRING_LENGTH_MAX);
    return `${cut}… [${value.length - cut.length} more characters; ask with full=true]`;
  });
}

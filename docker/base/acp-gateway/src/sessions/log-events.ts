import type { LogReader } from "../types.ts";
import type { GatewayEvent } from "../wire/index.ts";

const CHUNK_BYTES = 256 * 1024;
const DATA = "data: ";

/**
 * The events a reader has now, in order, parsed. Other work gets its turn between chunks, so a long
 * log stops nobody.
 */
export async function* eventsOf(reader: LogReader): AsyncGenerator<GatewayEvent, void> {
  const decoder = new TextDecoder();
  for (let chunk = reader.next(CHUNK_BYTES); chunk !== null; chunk = reader.next(CHUNK_BYTES)) {
    for (const frame of decoder.decode(chunk).split("\n\n")) {
      const at = frame.indexOf(DATA);
      if (at >= 0) yield JSON.parse(frame.slice(at + DATA.length)) as GatewayEvent;
    }
    await new Promise((next) => setImmediate(next));
  }
}

import type { LogReader } from "../types.ts";
import type { GatewayEvent } from "../wire/index.ts";

const CHUNK_BYTES = 256 * 1024;
const DATA = "data: ";
const EMPTY = new Uint8Array();

/**
 * The events a reader has now, in order, parsed; with `through`, not many behind that number: a log may
 * grow as fast as it is read. Other work gets its turn between chunks, so a long log stops nobody.
 */
export async function* eventsOf(reader: LogReader, through = Infinity): AsyncGenerator<GatewayEvent, void> {
  const decoder = new TextDecoder();
  for (;;) {
    const { position } = reader;
    const chunk = reader.next(CHUNK_BYTES);
    // It may have passed many events that it was not asked for.
    if (chunk === null && reader.position === position) return;
    for (const frame of decoder.decode(chunk ?? EMPTY).split("\n\n")) {
      const at = frame.indexOf(DATA);
      if (at >= 0) yield JSON.parse(frame.slice(at + DATA.length)) as GatewayEvent;
    }
    if (reader.position >= through) return;
    await new Promise((next) => setImmediate(next));
  }
}

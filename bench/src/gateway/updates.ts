import { closeSync, openSync, writeSync } from "node:fs";

/** The agent's own id of its only session. */
export const AGENT_SESSION = "bench-0123456789";
/** Stands in the last update of a flood, so that readers know its end without counting. */
export const LAST = "the-last-one";

const LINE_BYTES = 250;
const LINES_AT_ONCE = 2048;
const START = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"${AGENT_SESSION}","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"`;
const END = `"}}}}\n`;

/** An update as a line of an agent. */
export const updateLine = (text: string): string => START + text + END;

/** Updates of 250 bytes, numbered from 0. */
export function writeUpdates(path: string, count: number): void {
  const file = openSync(path, "w");
  for (let first = 0; first < count; first += LINES_AT_ONCE) {
    let text = "";
    for (let index = first; index < Math.min(first + LINES_AT_ONCE, count); index += 1) {
      const words = `n=${index} ${index === count - 1 ? LAST : ""}`;
      text += updateLine(words.padEnd(LINE_BYTES - START.length - END.length, "."));
    }
    writeSync(file, text);
  }
  closeSync(file);
}

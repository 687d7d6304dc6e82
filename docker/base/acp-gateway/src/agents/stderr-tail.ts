import type { Redactor } from "./redactor.ts";

const TAIL_BYTES = 64 * 1024;

/** Keeps the last 64 KiB of a stream, and gives them with what is secret blanked. */
export function createStderrTail(redactor: Redactor) {
  let pieces: Uint8Array[] = [];
  let bytes = 0;

  // A secret cut in two at the front would not be recognised: more is kept than is given.
  const keep = () => TAIL_BYTES + 4 * redactor.longest();

  return {
    push(chunk: Uint8Array): void {
      pieces.push(chunk);
      bytes += chunk.length;
      if (bytes < 2 * keep()) return;
      const all = Buffer.concat(pieces);
      pieces = [all.subarray(all.length - keep())];
      bytes = keep();
    },

    text(): string {
      const all = Buffer.concat(pieces);
      const cut = all.length > keep();
      const text = redactor.redact(new TextDecoder().decode(cut ? all.subarray(all.length - keep()) : all));
      return text.length > TAIL_BYTES ? text.slice(-TAIL_BYTES) : text;
    },
  };
}

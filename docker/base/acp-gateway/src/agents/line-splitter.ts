const NEWLINE = 10;

type LineSplitterDeps = {
  /** Longest line taken, in bytes without its end. */
  maxBytes: number;
  /** Whole lines, each with its "\n". Called at most twice for a chunk. */
  onBlock: (block: string) => void;
  /** A line grew beyond the limit; nothing is given after that. */
  onTooLong: () => void;
};

/**
 * Cuts a stream of bytes at its last line end and decodes what is whole. Bytes of an unfinished line
 * wait undecoded, so a character cut between two chunks survives. Chunks are the caller's again afterwards.
 */
export function createLineSplitter({ maxBytes, onBlock, onTooLong }: LineSplitterDeps) {
  const decoder = new TextDecoder();
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let over = false;

  function keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    restBytes += piece.length;
    if (restBytes > maxBytes) {
      over = true;
      rest = [];
      onTooLong();
      return;
    }
    rest.push(new Uint8Array(piece));
  }

  function finishRest(piece: Uint8Array): void {
    // The limit also holds for a line whose end came with the piece that broke it.
    keep(piece.subarray(0, piece.length - 1));
    if (over) return;
    const line = decoder.decode(Buffer.concat(rest));
    rest = [];
    restBytes = 0;
    onBlock(`${line}\n`);
  }

  return {
    push(chunk: Uint8Array): void {
      if (over) return;
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end === 0) return keep(chunk);
      let start = 0;
      if (restBytes > 0) {
        start = chunk.indexOf(NEWLINE) + 1;
        finishRest(chunk.subarray(0, start));
      }
      if (over) return;
      if (start < end) onBlock(decoder.decode(chunk.subarray(start, end)));
      keep(chunk.subarray(end));
    },
  };
}

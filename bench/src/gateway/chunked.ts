const CRLF = 2;

/**
 * Takes an HTTP/1.1 answer with chunked encoding apart as it arrives. `onBody` gets the bytes of its
 * body as they stand in `data`.
 * @throws Error for another status than 200
 */
export function createChunkedDecoder(onBody: (bytes: Buffer) => void) {
  let head: string | null = "";
  let size = "";
  let left = 0;
  let skip = 0;

  /** Returns where the body begins. */
  function readHead(data: Buffer): number {
    const before = head?.length ?? 0;
    head += data.toString("latin1");
    const end = head?.indexOf("\r\n\r\n") ?? -1;
    if (end < 0) return data.length;
    if (!head?.startsWith("HTTP/1.1 200 ")) throw new Error(`the stream was refused: ${head}`);
    if (!/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) throw new Error(`the stream is not chunked: ${head}`);
    head = null;
    return end + 4 - before;
  }

  function readSize(data: Buffer, from: number): number {
    const end = data.indexOf(10, from);
    size += data.toString("latin1", from, end < 0 ? data.length : end);
    if (end < 0) return data.length;
    left = Number.parseInt(size, 16);
    size = "";
    return end + 1;
  }

  return {
    push(data: Buffer): void {
      let at = head === null ? 0 : readHead(data);
      while (at < data.length) {
        if (skip > 0) {
          skip -= 1;
          at += 1;
        } else if (left === 0) {
          at = readSize(data, at);
        } else {
          const end = Math.min(at + left, data.length);
          onBody(data.subarray(at, end));
          left -= end - at;
          at = end;
          if (left === 0) skip = CRLF;
        }
      }
    },
  };
}

import { randomFillSync } from "node:crypto";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What a WebSocket's other side sent is none of its language. `code` is what to close with. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FrameReaderOptions {
  /** Longest message, in bytes. */
  messageBytesMax: number;
  /** Each whole message and each control frame. */
  onMessage: (opcode: number, payload: Buffer) => void;
}

/** A client's frame: masked, as RFC 6455 asks of clients, and whole. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + extra + 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  randomFillSync(frame, start - 4, 4);
  for (let at = 0; at < length; at += 1) {
    frame[start + at] = (payload[at] ?? 0) ^ (frame[start - 4 + (at & 3)] ?? 0);
  }
  return frame;
}

/** Takes a server's bytes as they come and gives the messages in them. `push` throws FrameError. */
export function createFrameReader({ messageBytesMax, onMessage }: FrameReaderOptions) {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 2;
  let fragments: Buffer[] = [];
  let fragmentsSize = 0;
  let fragmentsOpcode: number | null = null;

  function joined(): Buffer {
    const [first = Buffer.alloc(0)] = chunks;
    const whole = chunks.length === 1 ? first : Buffer.concat(chunks);
    chunks = [whole];
    return whole;
  }

  /** Bytes of the frame that begins at `at`; how many there must be to tell when there are too few. */
  function take(bytes: Buffer, at: number): { end: number } | { wanted: number } {
    const have = bytes.length - at;
    if (have < 2) return { wanted: 2 };
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw new FrameError(1002, "a frame with unknown bits");
    const short = second & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (have < head) return { wanted: head };
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (length + fragmentsSize > messageBytesMax) throw new FrameError(1009, "a message that is too long");
    if (have < head + length) return { wanted: head + length };
    const end = at + head + length;
    frame(first & 0x0f, (first & 0x80) !== 0, bytes.subarray(at + head, end));
    return { end };
  }

  function frame(opcode: number, isLast: boolean, payload: Buffer): void {
    if (opcode >= OPCODE.close) {
      if (!isLast || payload.length > 125 || opcode > OPCODE.pong) throw new FrameError(1002, "a wrong control frame");
      return onMessage(opcode, payload);
    }
    const isNext = opcode === OPCODE.continuation;
    if (opcode > OPCODE.binary || isNext !== (fragmentsOpcode !== null))
      throw new FrameError(1002, "a frame out of turn");
    if (!isNext && isLast) return onMessage(opcode, payload);
    if (!isNext) fragmentsOpcode = opcode;
    // A copy, as the chunk that it is in is not to be kept for it.
    fragments.push(Buffer.from(payload));
    fragmentsSize += payload.length;
    if (!isLast) return;
    const message = Buffer.concat(fragments);
    const whole = fragmentsOpcode ?? OPCODE.binary;
    fragments = [];
    fragmentsSize = 0;
    fragmentsOpcode = null;
    onMessage(whole, message);
  }

  return {
    push(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      if (size < wanted) return;
      const bytes = joined();
      let at = 0;
      for (;;) {
        const taken = take(bytes, at);
        if ("end" in taken) {
          at = taken.end;
          continue;
        }
        ({ wanted } = taken);
        break;
      }
      const rest = bytes.subarray(at);
      chunks = rest.length === 0 ? [] : [rest];
      size = rest.length;
    },
  };
}

import { describe, expect, test } from "bun:test";
import { createFrameReader, encodeFrame, FrameError, OPCODE } from "../../src/proxy/frames.ts";
import { createRandom } from "../support/random.ts";
import { thrown } from "../support/thrown.ts";

/** A server's frame, which is not masked. */
function serverFrame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

function read(chunks: readonly Buffer[], messageBytesMax = 1_000_000): [number, string][] {
  const messages: [number, string][] = [];
  const reader = createFrameReader({
    messageBytesMax,
    onMessage: (opcode, payload) => void messages.push([opcode, payload.toString("latin1")]),
  });
  for (const chunk of chunks) reader.push(chunk);
  return messages;
}

describe("a reader of frames", () => {
  const texts = ["", "a", "x".repeat(125), "y".repeat(126), "z".repeat(65_535), "w".repeat(65_536)];

  test.each([1, 2, 3, 7, 1_000, 100_000, 1_000_000])("gives each message once from chunks of %d bytes", (size) => {
    const chosen = size < 1_000 ? texts.slice(0, 4) : texts;
    const bytes = Buffer.concat(chosen.map((text) => serverFrame(OPCODE.text, Buffer.from(text))));
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    expect(read(chunks)).toEqual(chosen.map((text) => [OPCODE.text, text]));
  });

  test("joins fragments, and gives control frames that stand between them", () => {
    const frames = [
      serverFrame(OPCODE.binary, Buffer.from("one "), false),
      serverFrame(OPCODE.ping, Buffer.from("?")),
      serverFrame(OPCODE.continuation, Buffer.from("two "), false),
      serverFrame(OPCODE.continuation, Buffer.from("three")),
      serverFrame(OPCODE.text, Buffer.from("next")),
    ];
    expect(read([Buffer.concat(frames)])).toEqual([
      [OPCODE.ping, "?"],
      [OPCODE.binary, "one two three"],
      [OPCODE.text, "next"],
    ]);
  });

  test.each<[string, Buffer, number]>([
    ["reserved bits", Buffer.from([0xc1, 0]), 1002],
    ["a mask, which servers do not have", Buffer.from([0x81, 0x80, 0, 0, 0, 0]), 1002],
    ["a continuation of nothing", serverFrame(OPCODE.continuation, Buffer.from("x")), 1002],
    ["an unknown kind", serverFrame(3, Buffer.from("x")), 1002],
    ["an unknown control frame", serverFrame(11, Buffer.from("x")), 1002],
    ["a ping in fragments", serverFrame(OPCODE.ping, Buffer.from("x"), false), 1002],
    ["a long ping", serverFrame(OPCODE.ping, Buffer.alloc(126)), 1002],
    [
      "a message over the limit, before it has come",
      serverFrame(OPCODE.text, Buffer.alloc(2_000)).subarray(0, 4),
      1009,
    ],
    [
      "fragments over the limit",
      Buffer.concat([serverFrame(OPCODE.text, Buffer.alloc(900), false), serverFrame(0, Buffer.alloc(900), false)]),
      1009,
    ],
  ])("refuses %s", (_, bytes, code) => {
    const error = thrown(() => read([bytes], 1_000));
    expect(error).toBeInstanceOf(FrameError);
    expect(error).toMatchObject({ code });
  });

  test("never gives more than it was sent, whatever comes", () => {
    const { below } = createRandom(7);
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(Array.from({ length: below(40) }, () => below(256)));
      try {
        const size = read([bytes]).reduce((sum, [, text]) => sum + text.length, 0);
        expect(size).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });
});

test("a client's frame is masked and holds what was given", async () => {
  const got = Promise.withResolvers<Buffer>();
  await using server = {
    listening: Bun.serve({
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
      websocket: { message: (_, data) => got.resolve(Buffer.from(data)), maxPayloadLength: 1 << 20 },
    }),
    [Symbol.asyncDispose]: () => server.listening.stop(true),
  };
  const frame = encodeFrame(OPCODE.binary, Buffer.alloc(70_000, 7));
  expect((frame[1] ?? 0) & 0x80).toBe(0x80);
  const text = `GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${Buffer.alloc(16).toString("base64")}\r\n\r\n`;
  const connection = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.listening.port ?? 0,
    socket: {
      open: (socket) => void socket.write(text),
      data(socket) {
        socket.write(frame);
      },
    },
  });
  expect((await got.promise).equals(Buffer.alloc(70_000, 7))).toBe(true);
  connection.end();
});

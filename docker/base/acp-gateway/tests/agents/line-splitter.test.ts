import { expect, test } from "bun:test";
import { createLineSplitter } from "../../src/agents/line-splitter.ts";

function split(chunks: Iterable<Uint8Array>, maxBytes = 1000) {
  const blocks: string[] = [];
  let tooLong = 0;
  const splitter = createLineSplitter({
    maxBytes,
    onBlock: (block) => blocks.push(block),
    onTooLong: () => (tooLong += 1),
  });
  for (const chunk of chunks) {
    const given = chunk.slice();
    splitter.push(given);
    // Its memory is used again.
    given.fill(0);
  }
  return { text: blocks.join(""), blocks, tooLong };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("whatever the cuts between chunks, lines and characters come out whole", () => {
  const text = 'é\n"日本語 🎉"\n\n{"a":"\\ud83c"}\n𝄞𝄞𝄞\n';
  const all = bytes(text);
  for (let first = 0; first <= all.length; first++) {
    for (let second = first; second <= all.length; second += 3) {
      const { text: got, blocks } = split([all.subarray(0, first), all.subarray(first, second), all.subarray(second)]);
      expect(got).toBe(text);
      expect(blocks.every((block) => block.endsWith("\n"))).toBe(true);
    }
  }
  expect(split([...all].map((byte) => Uint8Array.of(byte))).text).toBe(text);
});

test("a line without an end is kept back", () => {
  expect(split([bytes("one\ntw"), bytes("o")]).text).toBe("one\n");
});

test("a line at the limit is given and one beyond it ends everything", () => {
  const line = "x".repeat(1000);
  expect(split([bytes(line.slice(0, 400)), bytes(`${line.slice(400)}\n`)])).toMatchObject({
    text: `${line}\n`,
    tooLong: 0,
  });
  const over = split([bytes(line), bytes("x"), bytes("x\nnext\n")]);
  expect(over).toMatchObject({ text: "", tooLong: 1 });
  const withEnd = split([bytes(line), bytes("x\nnext\n")]);
  expect(withEnd).toMatchObject({ text: "", tooLong: 1 });
});

test("bytes that are no UTF-8 become replacement characters and harm nothing else", () => {
  const { text } = split([Uint8Array.of(0xff, 0xfe, 10, 0x61, 10)]);
  expect(text).toBe("\ufffd\ufffd\na\n");
});

/** A line longer than this is given out in parts. */
const LINE_LENGTH_MAX = 16 * 1024;

/** Turns bytes into lines of bounded length; characters cut by a block's end are put together again. */
export function createLineSplitter() {
  const decoder = new TextDecoder();
  let rest = "";

  function* cut(text: string): Generator<string> {
    for (let start = 0; start === 0 || start < text.length; start += LINE_LENGTH_MAX) {
      yield text.slice(start, start + LINE_LENGTH_MAX);
    }
  }

  return {
    *push(bytes: Uint8Array): Generator<string> {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) yield* cut(part.replace(/\r$/, ""));
      if (rest.length <= LINE_LENGTH_MAX) return;
      const whole = rest.length - (rest.length % LINE_LENGTH_MAX);
      yield* cut(rest.slice(0, whole));
      rest = rest.slice(whole);
    },

    /** The unfinished last line, if there is one. */
    *end(): Generator<string> {
      rest += decoder.decode();
      if (rest !== "") yield* cut(rest);
      rest = "";
    },
  };
}

import type { IncomingMessage } from "node:http";

/**
 * The answer as it comes, read no faster than the client takes it. A client that goes away ends the
 * gateway's side, too. What breaks off there breaks off here: an end would say that it was all.
 * @param closed called once at the end
 */
export function answerBody(answer: IncomingMessage, closed?: () => void): ReadableStream<Uint8Array> {
  const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let end = closed;
  const over = () => {
    end?.();
    end = undefined;
  };
  const source: Bun.UnderlyingSource<Uint8Array> = {
    async pull(controller) {
      try {
        const { value, done } = await chunks.next();
        if (done !== true) return controller.enqueue(value);
        over();
        controller.close();
      } catch {
        over();
        // Bun would print an error that it is given.
        controller.error(undefined);
      }
    },
    cancel() {
      over();
      answer.destroy();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

import type { IncomingMessage } from "node:http";

/**
 * The answer as it comes, read no faster than the client takes it. A client that goes away ends the
 * gateway's side, too. A stream of events that breaks off just ends: its reader comes back by itself.
 * @param closed for streams of events: called once at the end
 */
export function answerBody(answer: IncomingMessage, closed?: () => void): ReadableStream<Uint8Array> {
  const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const isStream = closed !== undefined;
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
        if (isStream) controller.close();
        else controller.error(new Error("the gateway broke its answer off"));
      }
    },
    cancel() {
      over();
      answer.destroy();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

import type { Prompt, PromptAnswer } from "../wire/index.ts";
import { answerOf } from "./answers.ts";
import type { SessionContext } from "./context.ts";
import { hasEnded } from "./live-prompt.ts";
import type { LiveSession } from "./live-session.ts";
import type { PromptBook } from "./prompt-book.ts";

/** Waits for prompts to end, for callers who want the answer and not the events. */
export function createPromptWait({ log }: SessionContext, book: PromptBook) {
  async function untilEnded(ended: Promise<void>, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const stop = () => resolve();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) resolve();
    await Promise.race([ended, promise]);
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }

  return {
    async wait(
      { record }: LiveSession,
      promptId: string,
      ms: number,
      signal: AbortSignal | undefined,
    ): Promise<Prompt | PromptAnswer> {
      const prompt = book.find(promptId);
      if (prompt?.sessionId === record.id) await untilEnded(prompt.ended, ms, signal);
      const latest = book.get(record.id, promptId);
      return hasEnded(latest) ? answerOf(log, latest) : latest;
    },
  };
}

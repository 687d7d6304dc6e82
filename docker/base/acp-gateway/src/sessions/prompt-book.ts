import { GatewayError } from "../gateway-error.ts";
import type { Prompt } from "../wire/index.ts";
import { afterCommit, type SessionContext } from "./context.ts";
import { livePrompt, toPrompt, toRecord, type LivePrompt, type PromptRecord } from "./live-prompt.ts";
import type { LiveSession } from "./live-session.ts";

type Keys = { idempotencyKey: string | null; requestHash: string | null };

export type PromptBook = ReturnType<typeof createPromptBook>;

/** The prompts of all sessions: those that wait or run are in memory, the rest in the tables. */
export function createPromptBook(context: SessionContext) {
  const live = new Map<string, LivePrompt>();
  const keys = new Map<string, LivePrompt>();
  let waitingBytes = 0;

  const keyOf = (sessionId: string, key: string) => `${sessionId} ${key}`;

  function forget(prompt: LivePrompt): void {
    if (!live.delete(prompt.id)) return;
    waitingBytes -= prompt.bytes;
    if (prompt.idempotencyKey !== null) keys.delete(keyOf(prompt.sessionId, prompt.idempotencyKey));
  }

  function add(record: PromptRecord, promptKeys: Keys, durable: boolean): LivePrompt {
    const prompt = livePrompt(record, promptKeys, durable);
    live.set(prompt.id, prompt);
    waitingBytes += prompt.bytes;
    if (prompt.idempotencyKey !== null) keys.set(keyOf(prompt.sessionId, prompt.idempotencyKey), prompt);
    return prompt;
  }

  return {
    add,
    find: (id: string) => live.get(id),
    /** Bytes of all content that waits. */
    waitingBytes: () => waitingBytes,

    /** Its row is written with the next commit. */
    write(session: LiveSession, prompt: LivePrompt): void {
      if (session.removed) return;
      context.log.stageWrite((db) => context.stores.prompts.put(db, toRecord(prompt), prompt));
      context.log.commitSoon();
    },

    /** It has ended: told to those who wait once that is committed, and then read from its row. */
    close(prompt: LivePrompt): void {
      afterCommit(context, () => {
        forget(prompt);
        prompt.end();
      });
    },

    /** A prompt that was refused after all: its key is free again. */
    disown(prompt: LivePrompt): void {
      if (prompt.idempotencyKey !== null) keys.delete(keyOf(prompt.sessionId, prompt.idempotencyKey));
      prompt.idempotencyKey = null;
      prompt.requestHash = null;
    },

    /** What a key was used for before. */
    byKey(sessionId: string, key: string): { prompt: Prompt; requestHash: string | null } | undefined {
      const known = keys.get(keyOf(sessionId, key));
      if (known) return { prompt: toPrompt(known), requestHash: known.requestHash };
      const stored = context.stores.prompts.byKey(sessionId, key);
      return stored && { prompt: toPrompt(stored.record), requestHash: stored.requestHash };
    },

    /** @throws GatewayError prompt_not_found */
    get(sessionId: string, promptId: string): Prompt {
      const known = live.get(promptId);
      if (known && known.sessionId === sessionId) return toPrompt(known);
      const stored = context.stores.prompts.get(sessionId, promptId);
      if (!stored) throw new GatewayError("prompt_not_found", `the session has no prompt ${promptId}`);
      return toPrompt(stored);
    },

    page(sessionId: string, before: string | null, limit: number): Prompt[] {
      const rows = context.stores.prompts.page(sessionId, { before, limit });
      return rows.map((record) => toPrompt(live.get(record.promptId) ?? record));
    },
  };
}

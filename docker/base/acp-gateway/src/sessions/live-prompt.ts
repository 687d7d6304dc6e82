import type { JsonObject, Prompt } from "../wire/index.ts";

/** A prompt that waits, runs or has just ended. */
export type LivePrompt = Omit<Prompt, "promptId"> & {
  id: string;
  meta: JsonObject | null;
  /** Name of the token that sent it. */
  by: string;
  idempotencyKey: string | null;
  requestHash: string | null;
  /** Committed: it may be started. */
  durable: boolean;
  /** Aborted when somebody wants it to end. */
  cancel: AbortController;
  /** Of its content, as JSON. */
  bytes: number;
  ended: Promise<void>;
  end: () => void;
};

/** What of a prompt outlives the gateway. */
export type PromptRecord = Prompt & { meta: JsonObject | null; by: string };

const ENDED = new Set<string>(["finished", "failed", "cancelled", "interrupted"]);

export const hasEnded = ({ status }: Pick<Prompt, "status">): boolean => ENDED.has(status);

export function toPrompt(prompt: LivePrompt | PromptRecord): Prompt {
  return {
    promptId: "promptId" in prompt ? prompt.promptId : prompt.id,
    sessionId: prompt.sessionId,
    status: prompt.status,
    content: prompt.content,
    stopReason: prompt.stopReason,
    usage: prompt.usage,
    error: prompt.error,
    seq: prompt.seq,
    createdAt: prompt.createdAt,
    startedAt: prompt.startedAt,
    endedAt: prompt.endedAt,
  };
}

export const toRecord = (prompt: LivePrompt): PromptRecord => ({
  ...toPrompt(prompt),
  meta: prompt.meta,
  by: prompt.by,
});

type Keys = { idempotencyKey: string | null; requestHash: string | null };

export function livePrompt(record: PromptRecord, keys: Keys, durable: boolean): LivePrompt {
  const { promptId, ...rest } = record;
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    ...rest,
    ...keys,
    id: promptId,
    durable,
    cancel: new AbortController(),
    bytes: JSON.stringify(record.content).length,
    ended: promise,
    end: resolve,
  };
}

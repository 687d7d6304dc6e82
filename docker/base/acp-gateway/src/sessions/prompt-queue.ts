import { GatewayError } from "../gateway-error.ts";
import type { Caller } from "../types.ts";
import type { NewPrompt, PromptStatus } from "../wire/index.ts";
import { emit, isoNow, persist, type SessionContext } from "./context.ts";
import { newId } from "./identifier.ts";
import { hasEnded, type LivePrompt } from "./live-prompt.ts";
import type { LiveSession } from "./live-session.ts";
import type { PromptBook } from "./prompt-book.ts";
import { checkContent, previewOf, type Content } from "./prompt-content.ts";
import type { Turns } from "./turn.ts";

const PREVIEW_LENGTH = 1000;
/** Of all prompts that wait, in all sessions. */
const WAITING_BYTES_MAX = 128 * 1024 * 1024;
const KEY_LENGTH_MAX = 256;
const CANCELLED = { status: "cancelled", stopReason: "cancelled" } as const;

type Accepted = { promptId: string; seq: number; status: PromptStatus };
type Parts = { context: SessionContext; book: PromptBook; turns: Turns };

export type PromptQueue = ReturnType<typeof createPromptQueue>;

/** Takes prompts in, one after the other, and lets one of a session run at a time. */
export function createPromptQueue({ context, book, turns }: Parts) {
  /** Starts the next prompt if nothing runs. One that is not committed yet holds up those behind it. */
  function pump(session: LiveSession): void {
    const [next] = session.queue;
    if (session.running || !next?.durable || session.record.closed || session.removed || context.shuttingDown) return;
    session.queue.shift();
    turns.start(session, next);
  }

  function drop(session: LiveSession, prompt: LivePrompt): void {
    session.queue = session.queue.filter((waiting) => waiting !== prompt);
  }

  function cancelQueued(session: LiveSession): string[] {
    const waiting = session.queue;
    session.queue = [];
    for (const prompt of waiting) turns.end(session, prompt, CANCELLED);
    return waiting.map(({ id }) => id);
  }

  function makeWay(session: LiveSession): void {
    const { queuePolicy } = session.record;
    if (session.running === null && session.queue.length === 0) return;
    if (queuePolicy === "reject") {
      throw new GatewayError("prompt_running", "a prompt is running in this session; wait for its end or cancel it");
    }
    if (queuePolicy === "cancel-previous") {
      cancelQueued(session);
      if (session.running) turns.cancel(session, session.running);
    }
  }

  function checkRoom(session: LiveSession, bytes: number): void {
    const { queuedPrompts } = context.config.limits;
    if (session.queue.length >= queuedPrompts && session.record.queuePolicy !== "cancel-previous") {
      throw new GatewayError("too_many_prompts", `${queuedPrompts} prompts wait in this session already`);
    }
    if (book.waitingBytes() + bytes > WAITING_BYTES_MAX) {
      throw new GatewayError(
        "too_many_prompts",
        "the prompts that wait take too much memory; try again when some ended",
      );
    }
  }

  function take(session: LiveSession, content: Content, input: NewPrompt, by: string, keys: Keys): LivePrompt {
    const prompt = book.add(
      {
        promptId: newId("prm"),
        sessionId: session.record.id,
        status: "queued",
        content,
        stopReason: null,
        usage: null,
        error: null,
        seq: 0,
        createdAt: isoNow(context),
        startedAt: null,
        endedAt: null,
        meta: input["_meta"] ?? null,
        by,
      },
      keys,
      false,
    );
    session.queue.push(prompt);
    const data = { promptId: prompt.id, text: previewOf(content, PREVIEW_LENGTH), blocks: content.length, by };
    emit(context, session, "prompt_queued", data, {
      promptId: prompt.id,
      assigned: (seq) => {
        prompt.seq = seq;
      },
    });
    book.write(session, prompt);
    persist(context, session);
    return prompt;
  }

  return {
    pump,
    cancelQueued,

    /** Durable before it resolves. The same key gives the same prompt again. */
    async accept(
      session: LiveSession,
      input: NewPrompt,
      { caller, idempotencyKey }: { caller: Caller; idempotencyKey?: string },
    ): Promise<Accepted> {
      const keys = keysOf(input, idempotencyKey);
      const before = idempotencyKey === undefined ? undefined : book.byKey(session.record.id, idempotencyKey);
      if (before) return repeat(before, keys);
      if (session.record.closed) {
        throw new GatewayError("session_closed", "the session is closed; load it before you prompt it");
      }
      const content = checkContent(input, session.record.capabilities);
      checkRoom(session, JSON.stringify(content).length);
      makeWay(session);
      const prompt = take(session, content, input, caller.name, keys);
      try {
        await context.log.settled();
      } catch (error) {
        // What is staged is written later all the same; it must not run then.
        drop(session, prompt);
        book.disown(prompt);
        turns.end(session, prompt, CANCELLED);
        throw error;
      }
      prompt.durable = true;
      pump(session);
      return { promptId: prompt.id, seq: prompt.seq, status: prompt.status };
    },

    /** Cancels one prompt, or the running one and with `queued` those that wait. */
    cancel(session: LiveSession, { queued = false, promptId }: { queued?: boolean; promptId?: string }): string[] {
      const { running } = session;
      if (promptId !== undefined) {
        if (running?.id === promptId) {
          turns.cancel(session, running);
          return [promptId];
        }
        const waiting = session.queue.find(({ id }) => id === promptId);
        if (!waiting) {
          if (hasEnded(book.get(session.record.id, promptId))) return [];
          throw new GatewayError("prompt_not_found", `the session has no prompt ${promptId} that could be cancelled`);
        }
        drop(session, waiting);
        turns.end(session, waiting, CANCELLED);
        return [promptId];
      }
      const cancelled = queued ? cancelQueued(session) : [];
      if (!running) return cancelled;
      turns.cancel(session, running);
      return [running.id, ...cancelled];
    },
  };

  /** @throws GatewayError idempotency_conflict */
  async function repeat({ prompt, requestHash }: NonNullable<ReturnType<PromptBook["byKey"]>>, keys: Keys) {
    if (requestHash !== keys.requestHash) {
      throw new GatewayError("idempotency_conflict", "this Idempotency-Key was used for another prompt; use a new key");
    }
    await context.log.settled();
    const { promptId, status, seq } = book.find(prompt.promptId) ? book.get(prompt.sessionId, prompt.promptId) : prompt;
    return { promptId, seq, status };
  }
}

type Keys = { idempotencyKey: string | null; requestHash: string | null };

function keysOf(input: NewPrompt, key: string | undefined): Keys {
  if (key === undefined) return { idempotencyKey: null, requestHash: null };
  if (key.length === 0 || key.length > KEY_LENGTH_MAX) {
    throw new GatewayError("invalid_request", `an Idempotency-Key has 1 to ${KEY_LENGTH_MAX} characters`);
  }
  return {
    idempotencyKey: key,
    requestHash: new Bun.CryptoHasher("sha256").update(JSON.stringify(input)).digest("hex"),
  };
}

import { emit, isoNow, persist, type SessionContext } from "./context.ts";
import { failureOf } from "./failure.ts";
import type { LiveSession } from "./live-session.ts";
import type { Opening } from "./opening.ts";
import type { PromptBook } from "./prompt-book.ts";
import type { PromptQueue } from "./prompt-queue.ts";
import type { SessionBook } from "./session-book.ts";

/** Agents that are started side by side for prompts of the time before; each takes a core for seconds. */
const STARTS_AT_ONCE = 4;

type Parts = {
  context: SessionContext;
  sessions: SessionBook;
  prompts: PromptBook;
  opening: Opening;
  queue: PromptQueue;
};

/** Goes on after an end that nobody asked for: of an agent, or of the gateway before. */
export function createRecovery({ context, sessions, prompts, opening, queue }: Parts) {
  const { stores } = context;

  function restore(): void {
    for (const record of stores.sessions.all()) sessions.add(record);
    for (const { record, keys } of stores.prompts.unfinished()) {
      const session = context.sessions.get(record.sessionId);
      if (!session) continue;
      const prompt = prompts.add(record, keys, true);
      if (record.status === "queued") {
        session.queue.push(prompt);
        continue;
      }
      prompt.status = "interrupted";
      prompt.endedAt = isoNow(context);
      emit(context, session, "prompt_interrupted", { promptId: prompt.id }, { promptId: prompt.id });
      prompts.write(session, prompt);
      prompts.close(prompt);
    }
    for (const value of stores.permissions.pending()) {
      const outcome = { outcome: "cancelled" };
      const ended = { ...value, status: "cancelled" as const, outcome, resolvedBy: "exit" };
      cancelled(value.sessionId, value.promptId, "permission", { id: value.id, outcome });
      context.log.stageWrite((db) => stores.permissions.put(db, ended));
    }
    for (const value of stores.elicitations.pending()) {
      const ended = { ...value, status: "cancelled" as const, response: { action: "cancel" }, resolvedBy: "exit" };
      cancelled(value.sessionId, value.promptId, "elicitation", { id: value.id, action: "cancel" });
      context.log.stageWrite((db) => stores.elicitations.put(db, ended));
    }
    context.log.commitSoon();
  }

  function cancelled(sessionId: string, promptId: string | null, kind: string, data: object): void {
    const session = context.sessions.get(sessionId);
    const told = { ...data, status: "cancelled", resolvedBy: "exit" };
    if (session) emit(context, session, `${kind}_resolved`, told, { promptId });
  }

  /** Lets prompts that waited when the gateway ended go on, a few agents at a time. */
  async function resume(): Promise<void> {
    const waiting = [...context.sessions.values()].filter((session) => session.queue.length > 0);
    const worker = async () => {
      for (let session = waiting.shift(); session; session = waiting.shift()) {
        queue.pump(session);
        await session.opening?.done.catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, worker));
  }

  return {
    restore,
    resume,

    /** Brings the agent up again for those who look on; prompts that wait have done so already. */
    afterCrash(session: LiveSession): void {
      if (session.running || session.opening || session.record.closed || context.shuttingDown) return;
      if (session.clients === 0 || session.crashes > context.timing.openAttempts) {
        emit(context, session, "session_updated", { status: "dormant" });
        return;
      }
      emit(context, session, "agent_restarting", { attempt: session.crashes });
      opening.ensure(session, { patient: true }).catch((error: unknown) => {
        // The session is failed and its event tells why.
        context.report("agent not restarted", {
          session: session.record.id,
          reason: failureOf(context, error).message,
        });
      });
      persist(context, session);
    },
  };
}

import { GatewayError } from "../gateway-error.ts";
import type { AgentExit } from "../types.ts";
import type { JsonObject } from "../wire/index.ts";
import { emit, isoNow, persist, type SessionContext } from "./context.ts";
import type { ElicitationDesk } from "./elicitation-desk.ts";
import { type Failure, failureOf, hasCode, withAuthMethods } from "./failure.ts";
import type { Leases } from "./leases.ts";
import type { LivePrompt } from "./live-prompt.ts";
import type { Connection, LiveSession } from "./live-session.ts";
import type { Opening } from "./opening.ts";
import type { PermissionDesk } from "./permission-desk.ts";
import type { PromptBook } from "./prompt-book.ts";
import { objectOf } from "./json.ts";

/** How long a failed request waits to be told how the process ended. */
const EXIT_MS = 500;

type Outcome =
  | { status: "finished" | "cancelled"; stopReason: string; usage?: JsonObject | null; forced?: boolean }
  | { status: "failed"; error: Failure; exit?: AgentExit }
  | { status: "interrupted" };

type Parts = {
  context: SessionContext;
  book: PromptBook;
  opening: Opening;
  leases: Leases;
  permissions: PermissionDesk;
  elicitations: ElicitationDesk;
  /** The session is free for its next prompt. */
  onEnd: (session: LiveSession, failed: boolean) => void;
};

export type Turns = ReturnType<typeof createTurns>;

/** Runs one prompt of a session from its start to its one end. */
export function createTurns({ context, book, opening, leases, permissions, elicitations, onEnd }: Parts) {
  const { timing } = context;

  /** Ends a prompt, running or waiting. Only the first end counts. */
  function end(session: LiveSession, prompt: LivePrompt, given: Outcome): void {
    if (prompt.endedAt !== null) return;
    // A turn that ends because the gateway does was not cancelled by anyone.
    const outcome: Outcome = context.shuttingDown && given.status !== "finished" ? { status: "interrupted" } : given;
    prompt.endedAt = isoNow(context);
    prompt.status = outcome.status;
    const { id: promptId } = prompt;
    const data: Record<string, unknown> = { promptId };
    if (outcome.status === "failed") {
      prompt.error = outcome.error;
      data["error"] = outcome.error;
      if (outcome.exit) data["exit"] = exitOf(outcome.exit);
    } else if (outcome.status !== "interrupted") {
      prompt.stopReason = outcome.stopReason;
      prompt.usage = outcome.usage ?? null;
      data["stopReason"] = outcome.stopReason;
      if (outcome.usage) data["usage"] = outcome.usage;
      if (outcome.forced) data["forced"] = true;
    }
    const ran = session.running === prompt;
    if (ran) {
      const by = outcome.status === "failed" ? "exit" : prompt.cancel.signal.aborted ? "cancel" : "end";
      permissions.cancelAll(session, by);
      elicitations.cancelAll(session, by);
      session.running = null;
      session.lastUsedMs = context.now();
      if (outcome.status === "finished") session.crashes = 0;
    }
    emit(context, session, `prompt_${outcome.status}`, data, { promptId });
    book.write(session, prompt);
    persist(context, session);
    book.close(prompt);
    if (ran) onEnd(session, outcome.status === "failed");
  }

  async function run(session: LiveSession, prompt: LivePrompt): Promise<void> {
    prompt.status = "running";
    prompt.startedAt = isoNow(context);
    const { id: promptId, content } = prompt;
    emit(context, session, "prompt_started", { promptId, content: content as JsonObject[] }, { promptId });
    book.write(session, prompt);
    persist(context, session);
    let connection: Connection | null = null;
    try {
      connection = await opening.ensure(session, { patient: true });
      if (prompt.endedAt !== null || session.running !== prompt) return;
      if (prompt.cancel.signal.aborted) return end(session, prompt, CANCELLED);
      end(session, prompt, await send(session, prompt, connection));
    } catch (error) {
      await fail(session, prompt, connection, error);
    }
  }

  async function send(session: LiveSession, prompt: LivePrompt, connection: Connection): Promise<Outcome> {
    session.record.turns += 1;
    const answer = await connection.lease.handle.request("session/prompt", {
      sessionId: connection.agentSessionId,
      prompt: prompt.content as JsonObject[],
      ...(prompt.meta ? { _meta: prompt.meta } : {}),
    });
    const { stopReason, usage } = answer;
    if (typeof stopReason !== "string") {
      throw new GatewayError("agent_protocol", `${session.record.agent} answered session/prompt without a stopReason`);
    }
    const asked = stopReason === "cancelled" && prompt.cancel.signal.aborted;
    return { status: asked ? "cancelled" : "finished", stopReason, usage: usage ? objectOf(usage) : null };
  }

  /** The agent does not come up: those that wait behind this prompt would meet the same. */
  function failAll(session: LiveSession, prompt: LivePrompt, error: unknown): void {
    if (context.shuttingDown) return end(session, prompt, { status: "interrupted" });
    const waiting = session.queue;
    session.queue = [];
    const failure = failureOf(context, error);
    for (const one of [prompt, ...waiting]) end(session, one, { status: "failed", error: failure });
  }

  async function fail(session: LiveSession, prompt: LivePrompt, connection: Connection | null, error: unknown) {
    if (prompt.endedAt !== null) return;
    if (connection === null && !prompt.cancel.signal.aborted) return failAll(session, prompt, error);
    // An agent may answer a cancelled turn with an error of its own.
    if (prompt.cancel.signal.aborted && !hasCode(error, "agent_exited")) return end(session, prompt, CANCELLED);
    if (connection && hasCode(error, "agent_exited")) {
      // The end of the process is the better news: it has the exit code.
      await Promise.race([connection.gone, Bun.sleep(EXIT_MS)]);
    }
    const told = connection ? withAuthMethods(error, connection.lease.handle) : error;
    end(session, prompt, { status: "failed", error: failureOf(context, told) });
  }

  /** Ends the turn for the agent and, after a grace, without it. Requests that wait are answered at once. */
  function cancel(session: LiveSession, prompt: LivePrompt, graceMs: number): void {
    if (prompt.cancel.signal.aborted) return;
    prompt.cancel.abort();
    const { connection } = session;
    if (!connection) return end(session, prompt, CANCELLED);
    connection.lease.handle.notify("session/cancel", { sessionId: connection.agentSessionId });
    permissions.cancelAll(session, "cancel");
    elicitations.cancelAll(session, "cancel");
    const timer = setTimeout(() => {
      if (prompt.endedAt !== null) return;
      leases.kill(session);
      end(session, prompt, { ...CANCELLED, forced: true });
    }, graceMs);
    timer.unref();
    void prompt.ended.then(() => clearTimeout(timer));
  }

  return {
    end,
    cancel: (session: LiveSession, prompt: LivePrompt, graceMs: number = timing.cancelGraceMs) =>
      cancel(session, prompt, graceMs),

    /** The session's agent ended while it ran. */
    crash(session: LiveSession, exit: AgentExit): void {
      permissions.cancelAll(session, "exit");
      elicitations.cancelAll(session, "exit");
      const { running } = session;
      if (!running) return;
      if (running.cancel.signal.aborted) return end(session, running, { ...CANCELLED, forced: true });
      const message = describeExit(session.record.agent, exit);
      end(session, running, { status: "failed", error: { code: "agent_exited", message }, exit });
    },

    /** Starts the prompt; the caller has seen to it that no other runs. */
    start(session: LiveSession, prompt: LivePrompt): void {
      session.running = prompt;
      void run(session, prompt);
    },
  };
}

const CANCELLED = { status: "cancelled", stopReason: "cancelled" } as const;

function exitOf({ code, signal, stderrTail, reason }: AgentExit): JsonObject {
  return { code, signal, stderrTail, ...(reason === undefined ? {} : { reason }) };
}

function describeExit(agent: string, { code, signal, stderrTail, reason }: AgentExit): string {
  const how = reason ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
  const last = stderrTail.trim().split("\n").at(-1);
  return `${agent} ended while it ran (${how})${last ? `: ${last.slice(0, 500)}` : ""}`;
}

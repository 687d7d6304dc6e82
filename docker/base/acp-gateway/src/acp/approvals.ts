import { GatewayError } from "../gateway-error.ts";
import { logLine } from "../log.ts";
import type { PendingChange, SessionManager } from "../types.ts";
import { elicitationAnswer, type JsonObject, type JsonValue } from "../wire/index.ts";
import type { Connection } from "./connection.ts";
import { isObject } from "./json-rpc.ts";
import type { Emit } from "./lane.ts";

/** Who was asked, with what takes the question back. */
type Open = { sessionId: string; asked: Map<Connection, () => void> };
type Question = { id: string; sessionId: string; method: string; params: JsonObject };

/**
 * Shows what waits for a person to every client of its session. The first answer wins; from the
 * others the question is taken back.
 */
export function createApprovals(sessions: SessionManager) {
  /** By id of the permission or elicitation. */
  const open = new Map<string, Open>();

  const stopListening = sessions.onPending(({ value }: PendingChange) => {
    if (value.status !== "pending") takeBack(value.id);
  });

  function takeBack(id: string): void {
    const question = open.get(id);
    open.delete(id);
    for (const cancel of question?.asked.values() ?? []) cancel();
  }

  /** A question that waits for nobody is forgotten. */
  function drop(id: string, question: Open): void {
    if (question.asked.size === 0 && open.get(id) === question) open.delete(id);
  }

  function ask(
    connection: Connection,
    question: Question,
    answer: (result: JsonObject) => Promise<unknown>,
    emit: Emit,
  ): void {
    const { id, sessionId } = question;
    const known = open.get(id) ?? { sessionId, asked: new Map<Connection, () => void>() };
    if (known.asked.has(connection)) return;
    open.set(id, known);
    const cancel = connection.ask(
      question,
      (result) => {
        known.asked.delete(connection);
        drop(id, known);
        // A client that refused the request leaves it to the others, to REST or to the timeout.
        if (isObject(result)) void answer(result).catch((error: unknown) => unanswered(question, error));
      },
      emit,
    );
    known.asked.set(connection, cancel);
  }

  return {
    /** Asks a client for all that waits in the session and that it was not asked for yet. */
    offer(connection: Connection, sessionId: string, emit: Emit): void {
      if (!connection.caller.scopes.has("approve")) return;
      const { caller } = connection;
      const { permissions, elicitations } = pendingOf(sessions, sessionId);
      for (const { id, toolCall, options, expiresAt } of permissions) {
        const params = {
          sessionId,
          toolCall,
          options: options as JsonObject[],
          _meta: { gateway: { permissionId: id, expiresAt } },
        };
        ask(
          connection,
          { id, sessionId, method: "session/request_permission", params },
          (result) => sessions.answerPermission(sessionId, id, choiceOf(result), caller),
          emit,
        );
      }
      for (const { id, request, expiresAt } of elicitations) {
        if (!canAnswer(connection, request)) continue;
        const gateway = { elicitationId: id, expiresAt };
        const meta = isObject(request["_meta"]) ? request["_meta"] : {};
        const params = { ...request, sessionId, _meta: { ...meta, gateway } };
        ask(
          connection,
          { id, sessionId, method: "elicitation/create", params },
          async (result) => {
            const { action, content } = result;
            const answer = elicitationAnswer.safeParse({ action, ...(isObject(content) ? { content } : {}) });
            if (!answer.success) throw new GatewayError("invalid_request", "answer with accept, decline or cancel");
            return await sessions.answerElicitation(sessionId, id, answer.data, caller);
          },
          emit,
        );
      }
    },

    /** The client is gone: nothing is asked of it any more. */
    leave(connection: Connection): void {
      for (const [id, question] of open) if (question.asked.delete(connection)) drop(id, question);
    },

    /** A session's questions to this client were dropped; they may be asked again. */
    forget(connection: Connection, sessionId: string): void {
      for (const [id, question] of open) {
        if (question.sessionId === sessionId && question.asked.delete(connection)) drop(id, question);
      }
    },

    /** Questions that wait for some client. */
    count: () => open.size,
    close: stopListening,
  };
}

export type Approvals = ReturnType<typeof createApprovals>;

/** Nothing, where the session was deleted meanwhile. */
function pendingOf(sessions: SessionManager, sessionId: string) {
  try {
    return {
      permissions: sessions.permissions(sessionId, "pending"),
      elicitations: sessions.elicitations(sessionId, "pending"),
    };
  } catch (error) {
    if (error instanceof GatewayError) return { permissions: [], elicitations: [] };
    throw error;
  }
}

function choiceOf(result: JsonObject): { optionId: string } | { decision: "cancel" } {
  const outcome = result["outcome"];
  if (isObject(outcome)) {
    if (outcome["outcome"] === "cancelled") return { decision: "cancel" };
    if (outcome["outcome"] === "selected" && typeof outcome["optionId"] === "string") {
      return { optionId: outcome["optionId"] };
    }
  }
  throw new GatewayError("invalid_request", "the outcome is neither selected nor cancelled");
}

/** The client said at `initialize` that it shows forms, or opens URLs. */
function canAnswer(connection: Connection, request: JsonObject): boolean {
  const capabilities: JsonValue | undefined = connection.client?.["clientCapabilities"];
  const elicitation = isObject(capabilities) ? capabilities["elicitation"] : undefined;
  return isObject(elicitation) && isObject(elicitation[request["mode"] === "url" ? "url" : "form"]);
}

function unanswered({ id, method }: Question, error: unknown): void {
  if (error instanceof GatewayError && error.code === "already_resolved") return;
  logLine("an answer of a client could not be used", {
    method,
    id,
    reason: error instanceof Error ? error.message : String(error),
  });
}

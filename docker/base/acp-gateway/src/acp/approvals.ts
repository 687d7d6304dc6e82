import { GatewayError } from "../gateway-error.ts";
import { logLine } from "../log.ts";
import type { PendingChange, SessionManager } from "../types.ts";
import { elicitationAnswer, type JsonObject, type JsonValue } from "../wire/index.ts";
import type { Connection } from "./connection.ts";
import { isObject } from "./json-rpc.ts";
import type { Emit } from "./lane.ts";

type Question = { id: string; sessionId: string; method: string; params: JsonObject };

/**
 * Shows what waits for a person to every client of its session. The first answer wins; from the
 * others the question is taken back.
 */
export function createApprovals(sessions: SessionManager) {
  /** By id of the permission or elicitation: who was asked, with what takes it back. */
  const open = new Map<string, Map<Connection, () => void>>();

  const stopListening = sessions.onPending(({ value }: PendingChange) => {
    if (value.status !== "pending") takeBack(value.id);
  });

  function takeBack(id: string): void {
    const asked = open.get(id);
    open.delete(id);
    for (const cancel of asked?.values() ?? []) cancel();
  }

  function ask(
    connection: Connection,
    question: Question,
    answer: (result: JsonObject) => Promise<unknown>,
    emit: Emit,
  ) {
    const asked = open.get(question.id) ?? new Map<Connection, () => void>();
    if (asked.has(connection)) return;
    open.set(question.id, asked);
    const cancel = connection.ask(
      question,
      (result) => {
        asked.delete(connection);
        if (asked.size === 0 && open.get(question.id) === asked) open.delete(question.id);
        // A client that refused the request leaves it to the others, to REST or to the timeout.
        if (isObject(result)) void answer(result).catch((error: unknown) => unanswered(question, error));
      },
      emit,
    );
    asked.set(connection, cancel);
  }

  return {
    /** Asks a client for all that waits in the session and that it was not asked for yet. */
    offer(connection: Connection, sessionId: string, emit: Emit): void {
      if (!connection.caller.scopes.has("approve")) return;
      const { caller } = connection;
      for (const { id, toolCall, options, expiresAt } of sessions.permissions(sessionId, "pending")) {
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
      for (const { id, request, expiresAt } of sessions.elicitations(sessionId, "pending")) {
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
      for (const [id, asked] of open) if (asked.delete(connection) && asked.size === 0) open.delete(id);
    },

    /** A session's questions to this client were dropped; they may be asked again. */
    forget(connection: Connection, sessionId: string): void {
      for (const { id } of [
        ...sessions.permissions(sessionId, "pending"),
        ...sessions.elicitations(sessionId, "pending"),
      ]) {
        open.get(id)?.delete(connection);
      }
    },

    /** Questions that wait for some client. */
    count: () => open.size,
    close: stopListening,
  };
}

export type Approvals = ReturnType<typeof createApprovals>;

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

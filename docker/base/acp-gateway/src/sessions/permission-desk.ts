import { z } from "zod";
import { GatewayError } from "../gateway-error.ts";
import type { Caller, PendingChange } from "../types.ts";
import { jsonObject, permission, type JsonObject, type Permission, type PermissionAnswer } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { createDesk, expiry, pendingBase } from "./desk.ts";
import { newId } from "./identifier.ts";
import type { LiveSession } from "./live-session.ts";
import { judge, optionFor } from "./permission-policy.ts";

const request = z.looseObject({ toolCall: jsonObject, options: permission.shape.options.min(1).max(100) });

const selected = (optionId: string): JsonObject => ({ outcome: "selected", optionId });
const CANCELLED: JsonObject = { outcome: "cancelled" };

type Status = "answered" | "cancelled" | "expired";
const ending = (status: Status, outcome: JsonObject, by: string) => ({
  status,
  answer: { outcome },
  result: { outcome },
  by,
});

export type PermissionDesk = ReturnType<typeof createPermissionDesk>;

/** Answers an agent's requests for permission: by policy, by a person, or because nobody came. */
export function createPermissionDesk(context: SessionContext, changed: (change: PendingChange) => void) {
  const desk = createDesk<Permission>({
    context,
    kind: "permission",
    unknown: "permission_not_found",
    store: context.stores.permissions,
    entriesOf: ({ permissions }) => permissions,
    told: ({ answer }) => ({ outcome: answer.outcome ?? null }),
    changed: (value) => changed({ kind: "permission", value }),
  });

  return {
    list: (session: LiveSession, status?: Permission["status"]) => desk.list(session, status),

    /** Ends all that wait, as the protocol asks on a cancel. */
    cancelAll: (session: LiveSession, by: string) => desk.endAll(session, ending("cancelled", CANCELLED, by)),

    /** What `session/request_permission` is answered with. */
    async ask(session: LiveSession, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
      const { success, data } = request.safeParse(params);
      if (!success) throw new GatewayError("invalid_request", "a request for permission has a toolCall and options");
      const { toolCall, options } = data;
      const { timeoutMs, expiresAt } = expiry(context, session);
      const base = pendingBase(context, session, newId("per"));
      const value: Permission = { ...base, toolCall, options, outcome: null, expiresAt };
      if (session.running?.cancel.signal.aborted)
        return desk.pass(session, value, ending("cancelled", CANCELLED, "cancel"));
      const verdict = judge(session.record.permissionPolicy, session.toolCalls.note(toolCall), session.record.cwd);
      const option = verdict === "ask" ? undefined : optionFor(verdict, options, session.record.permissionPolicy);
      if (option) return desk.pass(session, value, ending("answered", selected(option.optionId), "policy"));
      if (verdict === "reject") return desk.pass(session, value, ending("cancelled", CANCELLED, "policy"));
      const reject = optionFor("reject", options, session.record.permissionPolicy);
      const refusal = reject ? selected(reject.optionId) : CANCELLED;
      if (session.permissions.size >= context.config.limits.pendingPermissions) {
        return desk.pass(session, value, ending("cancelled", refusal, "limit"));
      }
      return desk.wait(session, value, {
        timeoutMs,
        expired: ending("expired", refusal, "timeout"),
        gone: (by) => ending("cancelled", CANCELLED, by),
        signal,
      });
    },

    answer(session: LiveSession, id: string, answer: PermissionAnswer, caller: Caller): Permission {
      const entry = desk.find(session, id);
      if (answer.decision === "cancel") return desk.end(session, entry, ending("cancelled", CANCELLED, caller.name));
      const { options } = entry.value;
      const option = options.find(
        ({ optionId, kind }) =>
          optionId === answer.optionId || (answer.decision !== undefined && kind === answer.decision),
      );
      if (!option) throw unknownOption(answer, options);
      return desk.end(session, entry, ending("answered", selected(option.optionId), caller.name));
    },
  };
}

function unknownOption(answer: PermissionAnswer, options: Permission["options"]): GatewayError {
  const member = answer.optionId === undefined ? "decision" : "optionId";
  const offered = options.map(({ optionId, kind }) => (member === "optionId" ? optionId : kind));
  const message = `the agent did not offer that; it offers ${[...new Set(offered)].join(", ")}`;
  return new GatewayError("invalid_request", `${member}: ${message}`, {
    errors: [{ path: `/${member}`, code: "not_offered", message }],
  });
}

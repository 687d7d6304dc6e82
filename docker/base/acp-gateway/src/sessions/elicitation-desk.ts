import { GatewayError, type Violation } from "../gateway-error.ts";
import type { Caller, PendingChange } from "../types.ts";
import type { Elicitation, ElicitationAnswer, JsonObject, JsonValue } from "../wire/index.ts";
import type { SessionContext } from "./context.ts";
import { createDesk, expiry, pendingBase } from "./desk.ts";
import { newId } from "./identifier.ts";
import type { LiveSession } from "./live-session.ts";
import { objectOf } from "./json.ts";

const CANCEL: JsonObject = { action: "cancel" };

type Status = "answered" | "cancelled" | "expired";
/** What was answered may be a secret: it is for the agent alone, and kept nowhere. */
const ending = (status: Status, response: JsonObject, by: string) => ({
  status,
  answer: { response: { action: response["action"] ?? null } },
  result: response,
  by,
});

export type ElicitationDesk = ReturnType<typeof createElicitationDesk>;

/** Passes an agent's questions on and waits for the first answer. */
export function createElicitationDesk(context: SessionContext, changed: (change: PendingChange) => void) {
  const desk = createDesk<Elicitation>({
    context,
    kind: "elicitation",
    unknown: "elicitation_not_found",
    store: context.stores.elicitations,
    entriesOf: ({ elicitations }) => elicitations,
    told: ({ result }) => ({ action: result["action"] ?? null }),
    changed: (value) => changed({ kind: "elicitation", value }),
  });

  return {
    list: (session: LiveSession, status?: Elicitation["status"]) => desk.list(session, status),
    cancelAll: (session: LiveSession, by: string) => desk.endAll(session, ending("cancelled", CANCEL, by)),

    /** What `elicitation/create` is answered with. */
    async ask(session: LiveSession, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
      const { timeoutMs, expiresAt } = expiry(context, session);
      const base = pendingBase(context, session, newId("eli"));
      const request = { ...params, sessionId: session.record.id };
      const value: Elicitation = { ...base, request, response: null, expiresAt };
      const refused = session.running?.cancel.signal.aborted ? "cancel" : "limit";
      if (refused === "cancel" || session.elicitations.size >= context.config.limits.pendingPermissions) {
        return desk.pass(session, value, ending("cancelled", CANCEL, refused));
      }
      return desk.wait(session, value, {
        timeoutMs,
        expired: ending("expired", CANCEL, "timeout"),
        gone: (by) => ending("cancelled", CANCEL, by),
        signal,
      });
    },

    answer(session: LiveSession, id: string, answer: ElicitationAnswer, caller: Caller): Elicitation {
      const entry = desk.find(session, id);
      if (answer.action === "cancel") return desk.end(session, entry, ending("cancelled", CANCEL, caller.name));
      if (answer.action === "decline") {
        return desk.end(session, entry, ending("answered", { action: "decline" }, caller.name));
      }
      const problems = problemsOf(entry.value.request, answer.content ?? {});
      if (problems.length > 0) {
        const detail = problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
        throw new GatewayError("invalid_request", detail, { errors: problems });
      }
      const response = { action: "accept", ...(answer.content ? { content: answer.content } : {}) };
      return desk.end(session, entry, ending("answered", response, caller.name));
    },
  };
}

/** What the form asked for and the answer lacks or has in another type. */
function problemsOf(request: JsonObject, content: JsonObject): Violation[] {
  const schema = objectOf(request["requestedSchema"]);
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = required
    .filter((name): name is string => typeof name === "string" && content[name] === undefined)
    .map((name) => ({ path: `/content/${name}`, code: "required", message: "the agent asks for this" }));
  const properties = objectOf(schema["properties"]);
  const wrong = Object.entries(content).flatMap(([name, value]): Violation[] => {
    const type = objectOf(properties[name])["type"];
    if (typeof type !== "string" || fits(type, value)) return [];
    return [{ path: `/content/${name}`, code: "type", message: `the agent asks for a value of type ${type}` }];
  });
  return [...missing, ...wrong];
}

function fits(type: string, value: JsonValue): boolean {
  switch (type) {
    case "string":
    case "boolean":
    case "number":
      return typeof value === type;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    default:
      return true;
  }
}

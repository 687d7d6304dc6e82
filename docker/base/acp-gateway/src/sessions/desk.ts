import { type ErrorCode, GatewayError } from "../gateway-error.ts";
import type { Elicitation, JsonObject, Permission } from "../wire/index.ts";
import { afterCommit, emit, isoNow, persist, type SessionContext } from "./context.ts";
import { hasCode } from "./failure.ts";
import type { LiveSession, PendingEntry } from "./live-session.ts";
import type { PendingStore } from "./stores.ts";

type Pending = Permission | Elicitation;
type Ending<Value extends Pending> = {
  status: Exclude<Value["status"], "pending">;
  /** Members of the value that hold the answer. */
  answer: Partial<Value>;
  /** What the agent is told. */
  result: JsonObject;
  by: string;
};

type DeskDeps<Value extends Pending> = {
  context: SessionContext;
  kind: "permission" | "elicitation";
  unknown: ErrorCode;
  store: PendingStore<Value>;
  entriesOf: (session: LiveSession) => Map<string, PendingEntry<Value, JsonObject>>;
  /** What the event of the end tells beside id, status and resolvedBy. */
  told: (ending: Ending<Value>) => JsonObject;
  changed: (value: Value) => void;
};

/** Requests of agents that wait for a person. Each ends once: the first answer wins. */
export function createDesk<Value extends Pending>(deps: DeskDeps<Value>) {
  const { context, kind, store, entriesOf } = deps;

  function announce(session: LiveSession, value: Value): void {
    emit(context, session, `${kind}_requested`, { ...value }, { promptId: value.promptId });
    context.log.stageWrite((db) => store.put(db, value));
  }

  function conclude(session: LiveSession, value: Value, ending: Ending<Value>): Value {
    const ended: Value = { ...value, ...ending.answer, status: ending.status, resolvedBy: ending.by };
    const { id, status, resolvedBy } = ended;
    const told = { id, status, resolvedBy, ...deps.told(ending) };
    emit(context, session, `${kind}_resolved`, told, { promptId: value.promptId });
    if (!session.removed) context.log.stageWrite((db) => store.put(db, ended));
    persist(context, session);
    afterCommit(context, () => deps.changed(ended));
    return ended;
  }

  function find(session: LiveSession, id: string): PendingEntry<Value, JsonObject> {
    const entry = entriesOf(session).get(id);
    if (entry) return entry;
    const known = store.get(session.record.id, id);
    if (known === undefined) throw new GatewayError(deps.unknown, `the session has no ${kind} ${id}`);
    // What ended it may not be committed yet.
    const end =
      known.status === "pending" ? "ended just now" : `${known.status} by ${known.resolvedBy ?? "the gateway"}`;
    throw new GatewayError("already_resolved", `the ${kind} was ${end}`);
  }

  function end(session: LiveSession, entry: PendingEntry<Value, JsonObject>, ending: Ending<Value>): Value {
    entriesOf(session).delete(entry.value.id);
    if (entry.timer) clearTimeout(entry.timer);
    // Outside of a turn, what the agent does with the answer is all there is to tell that it is in use.
    session.lastUsedMs = context.now();
    const ended = conclude(session, entry.value, ending);
    const settle = () => entry.settle(ending.result);
    // What a person allowed is acted on once it is written down; all else is told at once.
    if (ending.status === "answered") afterCommit(context, settle);
    else settle();
    return ended;
  }

  return {
    find,
    end,

    /** A request that is answered at once, by a policy or a limit. */
    pass(session: LiveSession, value: Value, ending: Ending<Value>): JsonObject {
      announce(session, value);
      conclude(session, value, ending);
      return ending.result;
    },

    /** Waits for the first answer. `expired` is what the time limit makes of it, `gone` an abort by the agent. */
    wait(
      session: LiveSession,
      value: Value,
      options: { timeoutMs: number; expired: Ending<Value>; gone: (by: string) => Ending<Value>; signal: AbortSignal },
    ): Promise<JsonObject> {
      const { promise, resolve } = Promise.withResolvers<JsonObject>();
      const entry: PendingEntry<Value, JsonObject> = { value, settle: resolve, timer: null };
      const isOpen = () => entriesOf(session).get(value.id) === entry;
      if (options.timeoutMs > 0) {
        entry.timer = setTimeout(() => isOpen() && end(session, entry, options.expired), options.timeoutMs);
        entry.timer.unref();
      }
      entriesOf(session).set(value.id, entry);
      announce(session, value);
      persist(context, session);
      afterCommit(context, () => deps.changed(value));
      const { signal } = options;
      const abort = () =>
        isOpen() && end(session, entry, options.gone(hasCode(signal.reason, "agent_exited") ? "exit" : "agent"));
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      return promise;
    },

    /** Ends all that wait. */
    endAll(session: LiveSession, ending: Ending<Value>): void {
      for (const entry of entriesOf(session).values()) end(session, entry, ending);
    },

    list(session: LiveSession, status?: Value["status"]): Value[] {
      const open = [...entriesOf(session).values()].map(({ value }) => value).toReversed();
      if (status === "pending") return open;
      const rest = store.list(session.record.id).filter(({ id }) => !entriesOf(session).has(id));
      return [...open, ...rest].filter((value) => status === undefined || value.status === status);
    },
  };
}

/** When a request made now ends by itself. */
export function expiry(context: SessionContext, session: LiveSession): { timeoutMs: number; expiresAt: string | null } {
  const seconds = session.record.permissionPolicy.timeoutSeconds ?? context.config.permissionTimeoutSeconds;
  if (seconds === 0) return { timeoutMs: 0, expiresAt: null };
  return { timeoutMs: seconds * 1000, expiresAt: new Date(context.now() + seconds * 1000).toISOString() };
}

/** What a new request has of the session. */
export function pendingBase(context: SessionContext, session: LiveSession, id: string) {
  return {
    id,
    sessionId: session.record.id,
    promptId: session.running?.id ?? null,
    status: "pending" as const,
    resolvedBy: null,
    createdAt: isoNow(context),
  };
}

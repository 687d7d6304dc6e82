import { GatewayError } from "./gateway-error.ts";
import { createAgentHandlers } from "./sessions/agent-requests.ts";
import { transcriptOf } from "./sessions/answers.ts";
import { createClients } from "./sessions/clients.ts";
import { activityOf } from "./sessions/activity.ts";
import { createAgentCalls } from "./sessions/agent-calls.ts";
import { createContext, emit, persist, type SessionManagerDeps } from "./sessions/context.ts";
import { createCreation } from "./sessions/creation.ts";
import { createElicitationDesk } from "./sessions/elicitation-desk.ts";
import { createEnding } from "./sessions/ending.ts";
import { createFolders } from "./sessions/folders.ts";
import { startIdleReaper } from "./sessions/idle-reaper.ts";
import { createLeases } from "./sessions/leases.ts";
import type { LiveSession } from "./sessions/live-session.ts";
import { createOpening } from "./sessions/opening.ts";
import { createPermissionDesk } from "./sessions/permission-desk.ts";
import { createPromptBook } from "./sessions/prompt-book.ts";
import { createPromptWait } from "./sessions/prompt-wait.ts";
import { createPromptQueue } from "./sessions/prompt-queue.ts";
import { createRecovery } from "./sessions/recovery.ts";
import { checkCursor, createSessionBook } from "./sessions/session-book.ts";
import { createSettings } from "./sessions/settings.ts";
import { createTurns } from "./sessions/turn.ts";
import { createUpdates } from "./sessions/updates.ts";
import type { PendingChange, SessionManager } from "./types.ts";

/**
 * The sessions of the gateway: what every surface calls. What the tables hold of an earlier run is
 * taken over at once; its queued prompts go on in the next turn of the event loop.
 */
export function createSessionManager(deps: SessionManagerDeps): SessionManager {
  const context = createContext(deps);
  const { log, config } = context;
  const listeners = new Set<(change: PendingChange) => void>();
  const changed = (change: PendingChange) => {
    for (const listener of listeners) listener(change);
  };

  const book = createSessionBook(context);
  const prompts = createPromptBook(context);
  const leases = createLeases(context);
  const settings = createSettings(context);
  const permissions = createPermissionDesk(context, changed);
  const elicitations = createElicitationDesk(context, changed);
  const updates = createUpdates(context);
  const handlersFor = createAgentHandlers({ context, updates, permissions, elicitations });
  const folders = createFolders(config);
  const opening = createOpening({
    context,
    settings,
    leases,
    folders,
    handlersFor,
    onCrash(session, exit) {
      turns.crash(session, exit);
      recovery.afterCrash(session);
    },
  });
  const turns = createTurns({
    context,
    book: prompts,
    opening,
    leases,
    permissions,
    elicitations,
    onEnd: (session) => queue.pump(session),
  });
  const queue = createPromptQueue({ context, book: prompts, turns });
  const creation = createCreation({ context, book, folders, opening, leases, settings });
  const calls = createAgentCalls({ context, opening, settings });
  const ending = createEnding({ context, book, queue, turns, leases });
  const recovery = createRecovery({ context, sessions: book, prompts, opening, queue });
  const waiting = createPromptWait(context, prompts);
  const clients = createClients(context);

  recovery.restore();
  setImmediate(() => void recovery.resume());
  const stopReaper = startIdleReaper(context, leases);

  /** A session for a call that needs its agent. */
  function usable(id: string): LiveSession {
    book.checkOpen();
    const session = book.find(id);
    if (session.record.closed) throw new GatewayError("session_closed", "the session is closed; load it first");
    return session;
  }

  return {
    create: (input) => creation.create(input),
    get: (id) => book.view(book.find(id)),
    list: (filter) => book.list(filter),

    async patch(id, patch) {
      book.checkOpen();
      const session = book.find(id);
      const { record } = session;
      if (patch.title !== undefined) Object.assign(record, { title: patch.title, titleGiven: patch.title !== null });
      if (patch.permissionPolicy) record.permissionPolicy = patch.permissionPolicy;
      if (patch.queuePolicy) record.queuePolicy = patch.queuePolicy;
      emit(context, session, "session_updated", { ...patch });
      persist(context, session);
      await log.settled();
      return book.view(session);
    },

    close: async (id) => ending.close(book.find(id)),
    remove: async (id) => ending.remove(book.find(id)),

    async open(id, how) {
      book.checkOpen();
      const session = book.find(id);
      while (session.ending) await session.ending.catch(() => {});
      // It may be gone by now.
      book.find(id);
      if (session.record.closed) {
        book.checkRoom();
        session.record.closed = false;
        emit(context, session, "session_updated", { status: "dormant" });
        persist(context, session);
      }
      await opening.ensure(session, { how });
      await log.settled();
      return book.view(session);
    },

    fork: async (id, caller) => creation.fork(usable(id), caller),

    async prompt(id, input, options) {
      book.checkOpen();
      return queue.accept(book.find(id), input, options);
    },

    getPrompt: (id, promptId) => prompts.get(book.find(id).record.id, promptId),

    listPrompts(id, { cursor, limit }) {
      const page = prompts.page(book.find(id).record.id, checkCursor(cursor), limit + 1);
      const shown = page.slice(0, limit);
      return { prompts: shown, nextCursor: page.length > limit ? (shown.at(-1)?.promptId ?? null) : null };
    },

    waitForPrompt: async (id, promptId, ms, signal) => waiting.wait(book.find(id), promptId, ms, signal),

    async cancel(id, options = {}) {
      const session = book.find(id);
      const cancelled = queue.cancel(session, options);
      // One who cancels a single prompt does not mean what others have asked for.
      if (options.promptId === undefined || session.opening?.how === undefined) await ending.cancelStart(session);
      await log.settled();
      return { cancelled };
    },

    async setMode(id, modeId) {
      await calls.setMode(usable(id), modeId);
      return book.view(book.find(id));
    },

    async setConfig(id, configId, value) {
      await calls.setConfig(usable(id), configId, value);
      return book.view(book.find(id));
    },

    call: async (id, method, params) => calls.call(usable(id), method, params),

    permissions: (id, status) => permissions.list(book.find(id), status),

    async answerPermission(id, permissionId, answer, caller) {
      const value = permissions.answer(book.find(id), permissionId, answer, caller);
      await log.settled();
      return value;
    },

    elicitations: (id, status) => elicitations.list(book.find(id), status),

    async answerElicitation(id, elicitationId, answer, caller) {
      const value = elicitations.answer(book.find(id), elicitationId, answer, caller);
      await log.settled();
      return value;
    },

    onPending(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    attach: (id) => clients.attach(id === "" ? null : book.find(id)),

    transcript: async (id) => transcriptOf(log, book.find(id).record.id),
    activity: () => activityOf(context, clients.toAll()),

    shutdown() {
      stopReaper();
      return ending.shutdown();
    },
  };
}

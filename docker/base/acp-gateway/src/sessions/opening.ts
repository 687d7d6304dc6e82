import { GatewayError } from "../gateway-error.ts";
import type { AgentExit, AgentHandle, AgentSessionHandlers } from "../types.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { createAgentSessions } from "./agent-sessions.ts";
import { emit, persist, type SessionContext } from "./context.ts";
import { failureOf, hasCode, isRefusal, withAuthMethods } from "./failure.ts";
import type { Folders } from "./folders.ts";
import type { Leases } from "./leases.ts";
import { type Connection, type Lease, type LiveSession, type SessionRecord, statusAtRest } from "./live-session.ts";
import { objectOf } from "./json.ts";
import { keepSettings, type Settings } from "./settings.ts";
import { beginStart, duringStart } from "./start.ts";

export type OpenOptions = {
  /** Absent: as the agent allows, at the worst as a new session of it. */
  how?: "load" | "resume";
  /** Tries again while a prompt waits. */
  patient?: boolean;
};

/** Where a session is opened, and how. */
type Entry = { handle: AgentHandle; how: OpenOptions["how"]; signal: AbortSignal };

type Parts = {
  context: SessionContext;
  settings: Settings;
  leases: Leases;
  folders: Folders;
  /** `detached` ends what waits for an answer when the session leaves the process. */
  handlersFor: (session: LiveSession, connection: Connection, detached: AbortSignal) => AgentSessionHandlers;
  /** The process ended although nobody asked for it. */
  onCrash: (session: LiveSession, exit: AgentExit) => void;
};

export type Opening = ReturnType<typeof createOpening>;

/** Brings a session's agent up and the session in it to life. */
export function createOpening({ context, settings, leases, folders, handlersFor, onCrash }: Parts) {
  const { agents, timing } = context;
  const { make, reopen, ways } = createAgentSessions(context);

  /** Starts the process and makes the calls that come before any session. */
  async function start(record: SessionRecord, signal: AbortSignal, check?: (handle: AgentHandle) => void) {
    const { id, agent, env } = record;
    const cwd = await inRoots(record);
    const handle = await leases.start({ agentId: agent, key: id, cwd, env, signal });
    const asked = duringStart(handle, signal);
    try {
      record.capabilities = objectOf(handle.initialized["agentCapabilities"]);
      check?.(handle);
      const authenticates = record.setup.some(({ method }) => method === "authenticate");
      const usual = authenticates ? null : agents.authentication(agent, env);
      if (usual) await asked.request("authenticate", { ...usual }, { timeoutMs: timing.callMs });
      for (const { method, params } of record.setup) {
        await asked.request(method, params, { timeoutMs: timing.callMs });
      }
      return handle;
    } catch (error) {
      void leases.drop(handle, { atOnce: signal.aborted });
      throw withAuthMethods(error, handle);
    }
  }

  /** Since the session was made, a folder may have been replaced by a link. */
  async function inRoots({ cwd, additionalDirectories }: SessionRecord): Promise<string> {
    await Promise.all(additionalDirectories.map((path) => folders.allow(path, "additionalDirectories")));
    return await folders.allow(cwd, "cwd");
  }

  /** Makes the connection the session's own; from here on its process is watched. */
  function adopt(session: LiveSession, connection: Omit<Connection, "gone">): Connection {
    const watched: Connection = Object.assign(connection, {
      gone: connection.lease.handle.exited.then((exit) => {
        crashed(session, watched, exit);
        return exit;
      }),
    });
    session.connection = watched;
    session.lastUsedMs = context.now();
    return watched;
  }

  function crashed(session: LiveSession, connection: Connection, exit: AgentExit): void {
    leases.freed();
    if (session.connection !== connection) return;
    session.connection = null;
    connection.detach();
    session.crashes += 1;
    const { code, signal, stderrTail, reason } = exit;
    emit(context, session, "agent_exited", { code, signal, stderrTail, ...(reason === undefined ? {} : { reason }) });
    persist(context, session);
    onCrash(session, exit);
  }

  async function connect(session: LiveSession, how: OpenOptions["how"], signal: AbortSignal): Promise<Connection> {
    if (session.stopping) await unlessAborted(session.stopping, signal);
    refuseIfEnded(session);
    const handle = await start(session.record, signal);
    let opened: Connection | null = null;
    const before = keepSettings(session.record);
    const { modes, configOptions } = before;
    session.kept = { modes, configOptions };
    try {
      emit(context, session, "agent_started", { agent: session.record.agent, pid: handle.pid });
      const { connection, by, previous } = await openIn(session, { handle, how, signal });
      opened = connection;
      const { agentSessionId } = connection;
      const target = { handle: duringStart(handle, signal), agentSessionId, record: session.record };
      const notRestored = await settings.restore(target, before);
      signal.throwIfAborted();
      refuseIfEnded(session);
      const adopted = adopt(session, connection);
      emit(context, session, "session_opened", {
        how: by,
        agentSessionId: connection.agentSessionId,
        ...(previous === null ? {} : { contextLost: session.record.turns > 0, previousAgentSessionId: previous }),
        ...(notRestored.length > 0 ? { notRestored } : {}),
      });
      if (previous !== null) session.record.turns = 0;
      session.record.error = null;
      session.kept = null;
      persist(context, session);
      return adopted;
    } catch (error) {
      opened?.detach();
      // What this process said of itself is not how the session is to be.
      Object.assign(session.record, session.kept);
      session.kept = null;
      session.stopping = leases.drop(handle, { atOnce: signal.aborted });
      throw withAuthMethods(error, handle);
    }
  }

  function refuseIfEnded({ record, removed }: LiveSession): void {
    if (context.shuttingDown) throw new GatewayError("shutting_down", "the gateway is shutting down");
    if (record.closed || removed) throw new GatewayError("session_closed", "the session was closed meanwhile");
  }

  async function openIn(session: LiveSession, { handle, how, signal }: Entry) {
    const { record } = session;
    const asked = duringStart(handle, signal);
    for (const method of ways(record, how)) {
      if (method === "new") break;
      const connection = attach(session, handle, true);
      try {
        await reopen(asked, record, method);
        connection.replaying = false;
        return { connection, by: method, previous: null };
      } catch (error) {
        connection.detach();
        // An agent that has lost the session must not make the whole session useless.
        if (how !== undefined || !hasCode(error, "agent_error")) throw error;
        context.report("session not opened again", {
          session: record.id,
          method,
          reason: failureOf(context, error).message,
        });
      }
    }
    const previous = record.agentSessionId;
    await make(asked, record, "new");
    return { connection: attach(session, handle, false), by: "new", previous };
  }

  /** A connection nobody listens to yet. */
  function connection(lease: Lease, agentSessionId: string): Connection {
    return { lease, agentSessionId, replaying: false, detach: () => {}, gone: lease.handle.exited };
  }

  function listen(session: LiveSession, connection: Connection): () => void {
    const detached = new AbortController();
    const handlers = handlersFor(session, connection, detached.signal);
    const stop = connection.lease.handle.attach(connection.agentSessionId, handlers);
    return () => {
      stop();
      detached.abort(new GatewayError("agent_exited", "the session is not open in this process any more"));
    };
  }

  function attach(session: LiveSession, handle: AgentHandle, replaying: boolean): Connection {
    const made = connection({ handle, users: 1 }, session.record.agentSessionId);
    made.replaying = replaying;
    made.detach = listen(session, made);
    return made;
  }

  async function openPatiently(session: LiveSession, options: OpenOptions, signal: AbortSignal): Promise<Connection> {
    const { how, patient = false } = options;
    for (let attempt = 1; ;) {
      try {
        return await connect(session, how, signal);
      } catch (error) {
        const wanted = session.running !== null || session.clients > 0;
        if (!patient || !wanted || signal.aborted || session.record.closed || session.removed) throw error;
        if (hasCode(error, "too_many_processes")) {
          await unlessAborted(leases.room(), signal);
          continue;
        }
        if (!hasCode(error, "agent_exited", "agent_timeout") || attempt >= timing.openAttempts) throw error;
        emit(context, session, "agent_restarting", { attempt, error: failureOf(context, error) });
        attempt += 1;
      }
    }
  }

  async function open(session: LiveSession, options: OpenOptions, signal: AbortSignal): Promise<Connection> {
    try {
      return await openPatiently(session, options, signal);
    } catch (error) {
      refuseIfEnded(session);
      if (signal.aborted) {
        emit(context, session, "session_updated", { status: statusAtRest(session) });
        throw error;
      }
      const failure = failureOf(context, error);
      const isRefused = options.how !== undefined && isRefusal(error);
      if (!isRefused) session.record.error = failure;
      emit(context, session, "session_failed", { error: failure });
      // The next prompt opens the session in another way, so that it is none that has failed.
      if (isRefused) emit(context, session, "session_updated", { status: statusAtRest(session) });
      persist(context, session);
      throw error;
    } finally {
      session.opening = null;
    }
  }

  return {
    start,
    make,
    connection,
    listen,
    adopt,

    /** The open session; whoever asks while it is being opened waits for the same. */
    async ensure(session: LiveSession, options: OpenOptions = {}): Promise<Connection> {
      for (;;) {
        if (session.connection) return session.connection;
        const { opening } = session;
        if (!opening) {
          const begun = beginStart(context, (signal) => open(session, options, signal));
          session.opening = { ...begun, ...(options.how === undefined ? {} : { how: options.how }) };
          return begun.done;
        }
        const isOver = opening.isAbandoned();
        try {
          return await opening.done;
        } catch (error) {
          // Given up before this caller came, or refused in a way that it has not asked for.
          const isOther = opening.how !== undefined && opening.how !== options.how && isRefusal(error);
          if (!isOver && !isOther) throw error;
        }
      }
    },
  };
}

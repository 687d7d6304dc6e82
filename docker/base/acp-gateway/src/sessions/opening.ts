import { GatewayError } from "../gateway-error.ts";
import type { AgentExit, AgentHandle, AgentSessionHandlers } from "../types.ts";
import type { JsonObject } from "../wire/index.ts";
import { emit, persist, type SessionContext } from "./context.ts";
import { failureOf, hasCode, withAuthMethods } from "./failure.ts";
import type { Folders } from "./folders.ts";
import type { Leases } from "./leases.ts";
import type { Connection, Lease, LiveSession, SessionRecord } from "./live-session.ts";
import { objectOf } from "./json.ts";
import { takeSettings, type Settings } from "./settings.ts";

export type How = "load" | "resume" | "new";
export type OpenOptions = {
  /** Absent: as the agent allows, at the worst as a new session of it. */
  how?: "load" | "resume";
  /** Tries again while a prompt waits. */
  patient?: boolean;
};

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
  const timeout = { timeoutMs: timing.openMs };

  /** Starts the process and makes the calls that come before any session. */
  async function start(record: SessionRecord, check?: (handle: AgentHandle) => void): Promise<AgentHandle> {
    const { id, agent, env } = record;
    const cwd = await inRoots(record);
    const handle = await leases.start({ agentId: agent, key: id, cwd, env });
    try {
      record.capabilities = objectOf(handle.initialized["agentCapabilities"]);
      check?.(handle);
      const authenticates = record.setup.some(({ method }) => method === "authenticate");
      const usual = authenticates ? null : agents.authentication(agent, env);
      if (usual) await handle.request("authenticate", { ...usual }, { timeoutMs: timing.callMs });
      for (const { method, params } of record.setup) {
        await handle.request(method, params, { timeoutMs: timing.callMs });
      }
      return handle;
    } catch (error) {
      void leases.drop(handle);
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

  async function connect(session: LiveSession, how: OpenOptions["how"]): Promise<Connection> {
    await session.stopping;
    const handle = await start(session.record, (started) => {
      refuseIfEnded(session);
      session.abandon = () => void leases.drop(started);
    });
    let opened: Connection | null = null;
    try {
      emit(context, session, "agent_started", { agent: session.record.agent, pid: handle.pid });
      const before = structuredClone({ modes: session.record.modes, configOptions: session.record.configOptions });
      const { connection, by, previous } = await openIn(session, handle, how);
      opened = connection;
      const target = { handle, agentSessionId: connection.agentSessionId, record: session.record };
      const notRestored = await settings.restore(target, before);
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
      persist(context, session);
      return adopted;
    } catch (error) {
      opened?.detach();
      session.stopping = leases.drop(handle);
      throw withAuthMethods(error, handle);
    } finally {
      session.abandon = null;
    }
  }

  function refuseIfEnded({ record, removed }: LiveSession): void {
    if (context.shuttingDown) throw new GatewayError("shutting_down", "the gateway is shutting down");
    if (record.closed || removed) throw new GatewayError("session_closed", "the session was closed meanwhile");
  }

  async function openIn(session: LiveSession, handle: AgentHandle, how: OpenOptions["how"]) {
    const { record } = session;
    for (const method of methodsFor(context, record, how)) {
      if (method === "new") break;
      const connection = attach(session, handle, true);
      try {
        const params = { sessionId: record.agentSessionId, ...folderParams(record) };
        takeSettings(record, await handle.request(`session/${method}`, params, timeout));
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
    const answer = await newSession(handle, record);
    takeSettings(record, answer);
    return { connection: attach(session, handle, false), by: "new" as How, previous };
  }

  /** Asks for a session and takes over the id it is given. */
  async function askForSession(handle: AgentHandle, record: SessionRecord, method: string, params: JsonObject) {
    const answer = await handle.request(method, { ...params, ...folderParams(record) }, timeout);
    const { sessionId } = answer;
    if (typeof sessionId !== "string" || sessionId === "") {
      throw new GatewayError("agent_protocol", `${record.agent} answered ${method} without a sessionId`);
    }
    record.agentSessionId = sessionId;
    return answer;
  }

  const newSession = (handle: AgentHandle, record: SessionRecord) => askForSession(handle, record, "session/new", {});

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

  async function openPatiently(session: LiveSession, { how, patient = false }: OpenOptions): Promise<Connection> {
    for (let attempt = 1; ;) {
      try {
        return await connect(session, how);
      } catch (error) {
        const wanted = session.running !== null || session.clients > 0;
        if (!patient || !wanted || session.record.closed || session.removed || context.shuttingDown) throw error;
        if (hasCode(error, "too_many_processes")) {
          await leases.room();
          continue;
        }
        if (!hasCode(error, "agent_exited", "agent_timeout") || attempt >= timing.openAttempts) throw error;
        emit(context, session, "agent_restarting", { attempt, error: failureOf(context, error) });
        attempt += 1;
      }
    }
  }

  async function open(session: LiveSession, options: OpenOptions): Promise<Connection> {
    try {
      return await openPatiently(session, options);
    } catch (error) {
      refuseIfEnded(session);
      session.record.error = failureOf(context, error);
      emit(context, session, "session_failed", { error: session.record.error });
      persist(context, session);
      throw error;
    } finally {
      session.abandon = null;
      session.opening = null;
    }
  }

  return {
    start,
    newSession,
    askForSession,
    connection,
    listen,
    adopt,

    /** The open session; whoever asks while it is being opened waits for the same. */
    ensure(session: LiveSession, options: OpenOptions = {}): Promise<Connection> {
      if (session.connection) return Promise.resolve(session.connection);
      session.opening ??= open(session, options);
      return session.opening;
    },
  };
}

/** The ways to open a session again, best first. */
function methodsFor({ agents }: SessionContext, record: SessionRecord, how: OpenOptions["how"]): How[] {
  const quirks = agents.entry(record.agent)?.quirks;
  const { loadSession, sessionCapabilities } = record.capabilities;
  const loads = loadSession === true && quirks?.loads !== false;
  const resumes = (objectOf(sessionCapabilities)["resume"] ?? null) !== null && quirks?.resumes !== false;
  if (how === "load" ? !loads : how === "resume" ? !resumes : false) {
    throw new GatewayError("not_supported", `${record.agent} cannot ${how} a session`);
  }
  if (how !== undefined) return [how];
  return [...(loads ? (["load"] as const) : []), ...(resumes ? (["resume"] as const) : []), "new"];
}

/** What session/new, load, resume and fork are told of the place they work in. */
function folderParams({ cwd, additionalDirectories, mcpServers }: SessionRecord): JsonObject {
  // The protocol's stdio servers have no type.
  const servers = mcpServers.map((server) => {
    if (server.type !== "stdio") return server;
    const { type: _, ...rest } = server;
    return rest;
  });
  return {
    cwd,
    mcpServers: servers as JsonObject[],
    ...(additionalDirectories.length > 0 ? { additionalDirectories } : {}),
  };
}

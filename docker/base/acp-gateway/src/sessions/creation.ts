import { acceptsEnvironmentName } from "../child-environment.ts";
import { GatewayError, type Violation } from "../gateway-error.ts";
import type { AgentEntry, AgentHandle, Caller } from "../types.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { JsonObject, McpServer, NewSession, Session } from "../wire/index.ts";
import { emit, isoNow, persist, type SessionContext } from "./context.ts";
import { withAuthMethods } from "./failure.ts";
import type { Folders } from "./folders.ts";
import { newId } from "./identifier.ts";
import type { Leases } from "./leases.ts";
import { beginStart, duringStart } from "./start.ts";
import { live, type SessionBook } from "./session-book.ts";
import type { Connection, LiveSession, SessionRecord } from "./live-session.ts";
import type { Opening } from "./opening.ts";
import { objectOf } from "./json.ts";
import type { Settings } from "./settings.ts";

type Parts = {
  context: SessionContext;
  book: SessionBook;
  folders: Folders;
  opening: Opening;
  leases: Leases;
  settings: Settings;
};

/** Makes sessions. One that cannot be made leaves nothing behind but the error. */
export function createCreation({ context, book, folders, opening, leases, settings }: Parts) {
  const { agents } = context;

  async function entryOf(id: string): Promise<AgentEntry> {
    const entry = agents.entry(id);
    const report = await agents.find(id);
    if (!entry || !report) throw new GatewayError("agent_not_found", `no agent ${id}; GET /v1/agents lists them`);
    if (!report.installed) {
      const how = report.installable
        ? `install it with POST /v1/agents/${id}/install, or put ${report.command[0]} on PATH`
        : `put ${report.command[0]} on PATH`;
      throw new GatewayError("agent_not_installed", `${report.name} is not installed; ${how}`);
    }
    return entry;
  }

  async function recordOf(input: NewSession, entry: AgentEntry): Promise<SessionRecord> {
    checkEnv(entry, input.env ?? {});
    const now = isoNow(context);
    const { auth } = input;
    return {
      id: newId("ses"),
      agent: entry.id,
      agentSessionId: "",
      cwd: await folders.allow(input.cwd ?? context.config.workspace, "cwd"),
      additionalDirectories: await Promise.all(
        (input.additionalDirectories ?? []).map((path) => folders.allow(path, "additionalDirectories")),
      ),
      mcpServers: input.mcpServers ?? [],
      env: input.env ?? {},
      setup: auth ? [{ method: "authenticate", params: { ...auth } as JsonObject }] : [],
      title: input.title ?? null,
      titleGiven: input.title !== undefined,
      modes: null,
      configOptions: [],
      availableCommands: [],
      usage: null,
      permissionPolicy: input.permissionPolicy ?? { mode: "ask" },
      queuePolicy: input.queuePolicy ?? "queue",
      closed: false,
      turns: 0,
      capabilities: {},
      error: null,
      createdAt: now,
      updatedAt: now,
    };
  }

  /** Writes the session and its first events, and gives it once they are committed. */
  async function publish(session: LiveSession, connection: Connection, data: JsonObject): Promise<Session> {
    const { record } = session;
    context.sessions.set(record.id, session);
    opening.adopt(session, connection);
    persist(context, session);
    emit(context, session, "session_created", { ...data, session: book.view(session) as JsonObject });
    const { pid } = connection.lease.handle;
    emit(context, session, "agent_started", { agent: record.agent, pid });
    emit(context, session, "session_opened", { how: "new", agentSessionId: record.agentSessionId });
    // What the agent has said already was kept for whoever attaches: it stands behind session_created.
    connection.detach = opening.listen(session, connection);
    try {
      await context.log.settled();
    } catch (error) {
      void leases.release(session);
      context.log.stageWrite((db) => context.stores.sessions.remove(db, record.id));
      context.log.remove(record.id);
      session.removed = true;
      context.sessions.delete(record.id);
      throw error;
    }
    return book.view(session);
  }

  async function open(input: NewSession, signal: AbortSignal): Promise<Session> {
    const entry = await unlessAborted(entryOf(input.agent), signal);
    const record = await recordOf(input, entry);
    let handle: AgentHandle | null = null;
    try {
      handle = await opening.start(record, signal, (started) => checkCapabilities(record, started));
      const asked = duringStart(handle, signal);
      await opening.make(asked, record, "new");
      const target = { handle: asked, agentSessionId: record.agentSessionId, record };
      await settings.begin(target, input, entry.quirks.defaultMode);
      book.checkOpen();
    } catch (error) {
      if (handle) void leases.drop(handle, { atOnce: signal.aborted });
      throw handle ? withAuthMethods(error, handle) : error;
    }
    const session = live(context, record);
    return publish(session, opening.connection({ handle, users: 1 }, record.agentSessionId), {});
  }

  /** A copy of a session, in the same process: there its agent has it. */
  async function fork(parent: LiveSession, caller: Caller, signal: AbortSignal): Promise<Session> {
    const connection = await unlessAborted(opening.ensure(parent), signal);
    const { sessionCapabilities } = parent.record.capabilities;
    if ((objectOf(sessionCapabilities)["fork"] ?? null) === null) {
      throw new GatewayError("not_supported", `${parent.record.agent} cannot fork a session`);
    }
    const { lease } = connection;
    lease.users += 1;
    const made = await makeFork(parent, connection, signal).catch((error: unknown) => {
      leases.giveBack(lease);
      throw error;
    });
    const forkedFrom = { id: parent.record.id, seq: context.log.lastSeq(parent.record.id) };
    return publish(made, opening.connection(lease, made.record.agentSessionId), { forkedFrom, by: caller.name });
  }

  async function makeFork(parent: LiveSession, { lease, agentSessionId }: Connection, signal: AbortSignal) {
    const now = isoNow(context);
    const own = { id: newId("ses"), closed: false, error: null, createdAt: now, updatedAt: now };
    const record: SessionRecord = structuredClone({ ...parent.record, ...own });
    await opening.make(duringStart(lease.handle, signal), record, "fork", { sessionId: agentSessionId });
    if (record.agentSessionId === agentSessionId) {
      throw new GatewayError("agent_protocol", `${record.agent} answered session/fork with the id of the parent`);
    }
    book.checkOpen();
    return live(context, record);
  }

  async function counted<Made>(make: (signal: AbortSignal) => Promise<Made>): Promise<Made> {
    book.checkOpen();
    book.checkRoom();
    context.creating += 1;
    try {
      return await beginStart(context, make).done;
    } finally {
      context.creating -= 1;
    }
  }

  return {
    create: (input: NewSession): Promise<Session> => counted((signal) => open(input, signal)),
    fork: (parent: LiveSession, caller: Caller): Promise<Session> => counted((signal) => fork(parent, caller, signal)),
  };
}

function checkEnv(entry: AgentEntry, env: Record<string, string>): void {
  const errors = Object.entries(env).flatMap(([name, value]): Violation[] => {
    const path = `/env/${name.slice(0, 64)}`;
    if (!acceptsEnvironmentName(entry, name)) {
      const accepted = entry.acceptsEnv.length > 0 ? entry.acceptsEnv.join(", ") : "none";
      return [
        { path, code: "not_accepted", message: `${entry.id} takes no such variable`, fix: `it takes ${accepted}` },
      ];
    }
    return value.includes("\0") ? [{ path, code: "characters", message: "a value holds no NUL character" }] : [];
  });
  if (errors.length === 0) return;
  const detail = errors.map(({ path, message, fix }) => `${path}: ${message}${fix ? `; ${fix}` : ""}`).join("; ");
  throw new GatewayError("invalid_request", detail, { errors });
}

/** What the session asks for and the agent, as it says itself, cannot do. */
function checkCapabilities(record: SessionRecord, handle: AgentHandle): void {
  const takes = objectOf(record.capabilities["mcpCapabilities"]);
  const errors = record.mcpServers.flatMap(({ type }: McpServer, at): Violation[] => {
    if (type === undefined || type === "stdio" || takes[type] === true) return [];
    const message = `the agent connects to no MCP servers over ${type}`;
    return [{ path: `/mcpServers/${at}`, code: "not_supported", message, fix: "give one that runs on stdio" }];
  });
  const offers = objectOf(record.capabilities["sessionCapabilities"])["additionalDirectories"] ?? null;
  if (record.additionalDirectories.length > 0 && offers === null) {
    errors.push({
      path: "/additionalDirectories",
      code: "not_supported",
      message: "the agent works in one folder only",
      fix: "choose a cwd above all of them",
    });
  }
  const method = record.setup.find((call) => call.method === "authenticate")?.params["methodId"];
  const methods = handle.initialized["authMethods"];
  const known = Array.isArray(methods) ? methods.map(objectOf).find(({ id }) => id === method) : undefined;
  if (known?.["type"] === "terminal") {
    const message = "this is done in a terminal, not by authenticate";
    errors.push({
      path: "/auth/methodId",
      code: "not_supported",
      message,
      fix: "open a terminal with this authMethod",
    });
  }
  if (errors.length === 0) return;
  throw new GatewayError("not_supported", errors.map(({ path, message }) => `${path}: ${message}`).join("; "), {
    errors,
  });
}

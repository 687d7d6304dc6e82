import type { Database } from "bun:sqlite";
import type { AgentHandle, AgentExit } from "../types.ts";
import type {
  Elicitation,
  JsonObject,
  McpServer,
  Permission,
  PermissionPolicy,
  QueuePolicy,
  Session,
  SessionStatus,
} from "../wire/index.ts";
import type { LivePrompt } from "./live-prompt.ts";
import type { Start } from "./start.ts";
import type { ToolCallMemory } from "./tool-calls.ts";

/** A call made to the agent before its session is opened, each time its process starts. */
export type SetupCall = { method: string; params: JsonObject };

/** What of a session outlives the gateway. It holds secrets: only `toSession` may be shown. */
export type SessionRecord = {
  id: string;
  agent: string;
  agentSessionId: string;
  cwd: string;
  additionalDirectories: string[];
  mcpServers: McpServer[];
  env: Record<string, string>;
  setup: SetupCall[];
  title: string | null;
  /** A caller gave the title, so the agent's own no longer replaces it. */
  titleGiven: boolean;
  modes: JsonObject | null;
  configOptions: JsonObject[];
  availableCommands: JsonObject[];
  usage: JsonObject | null;
  permissionPolicy: PermissionPolicy;
  queuePolicy: QueuePolicy;
  closed: boolean;
  /** Turns sent to the agent under `agentSessionId`: without one there is no context to lose. */
  turns: number;
  /** `agentCapabilities` of the last initialize. */
  capabilities: JsonObject;
  error: Session["error"];
  createdAt: string;
  updatedAt: string;
};

/** A process at work for one session, and possibly for its forks. */
export type Lease = { handle: AgentHandle; users: number };

/** A session opened in a running agent. */
export type Connection = {
  lease: Lease;
  agentSessionId: string;
  /** What the agent says is a repetition of what the log has. */
  replaying: boolean;
  detach: () => void;
  /** Resolves when an end of the process that nobody asked for has been dealt with. */
  gone: Promise<AgentExit>;
};

export type PendingEntry<Value, Answer> = {
  value: Value;
  settle: (answer: Answer) => void;
  timer: ReturnType<typeof setTimeout> | null;
};

/** A session at run time. What is here is the truth; the tables follow with the next commit. */
export type LiveSession = {
  record: SessionRecord;
  connection: Connection | null;
  /** `how` as asked for by a caller; absent, as the agent allows. */
  opening: (Start<Connection> & { how?: "load" | "resume" }) | null;
  /** A close or a removal under way; what would bring the session back waits for it. */
  ending: Promise<unknown> | null;
  /** It takes nothing any more, but its events do not say yet that it is closed. */
  closing: boolean;
  /** Stored in place of what its record has, while an agent that starts tells how it begins and is not yet set again. */
  kept: Pick<SessionRecord, "modes" | "configOptions"> | null;
  /** The end of the process before; the next one waits for it. */
  stopping: Promise<void> | null;
  running: LivePrompt | null;
  queue: LivePrompt[];
  permissions: Map<string, PendingEntry<Permission, JsonObject>>;
  elicitations: Map<string, PendingEntry<Elicitation, JsonObject>>;
  toolCalls: ToolCallMemory;
  clients: number;
  /** Requests to its agent under way beside the turn. */
  calls: number;
  lastUsedMs: number;
  /** Ends of its process since the last turn that went well. */
  crashes: number;
  removed: boolean;
  /** A write of the row is staged and has not happened yet. */
  rowStaged: boolean;
  writeRow: (db: Database) => void;
};

export function statusOf(session: LiveSession): SessionStatus {
  if (session.record.closed) return "closed";
  if (session.opening) return "starting";
  if (session.running) {
    if (!session.connection) return "starting";
    return session.permissions.size + session.elicitations.size > 0 ? "waiting" : "running";
  }
  return statusAtRest(session);
}

/** The status with nothing under way. */
export function statusAtRest({ record, connection }: LiveSession): SessionStatus {
  if (record.closed) return "closed";
  if (connection) return "idle";
  return record.error ? "failed" : "dormant";
}

/** What everybody may see of a session. */
export function toSession(session: LiveSession, lastSeq: number): Session {
  const { record } = session;
  return {
    id: record.id,
    agent: record.agent,
    agentSessionId: record.agentSessionId,
    cwd: record.cwd,
    additionalDirectories: record.additionalDirectories,
    mcpServers: record.mcpServers.map(({ name, type }) => ({ name, type: type ?? "stdio" })),
    env: Object.keys(record.env),
    title: record.title,
    status: statusOf(session),
    modes: record.modes,
    configOptions: record.configOptions,
    availableCommands: record.availableCommands,
    usage: record.usage,
    permissionPolicy: record.permissionPolicy,
    queuePolicy: record.queuePolicy,
    runningPromptId: session.running?.id ?? null,
    queuedPrompts: session.queue.length,
    pendingPermissions: session.permissions.size,
    pendingElicitations: session.elicitations.size,
    lastSeq,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    error: record.error,
  };
}

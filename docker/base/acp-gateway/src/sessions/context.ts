import type { AgentManager, EventLog, GatewayConfig } from "../types.ts";
import type { LiveSession } from "./live-session.ts";
import type { Start } from "./start.ts";
import type { SessionStores } from "./stores.ts";

/** How long the manager waits for what. Milliseconds. */
export const DEFAULT_TIMING = {
  /** After a cancel the agent may still finish; then its process is killed. */
  cancelGraceMs: 10_000,
  /** The same when its session is closed or the gateway ends. */
  closeGraceMs: 2000,
  /** What an agent may take to open a session; a long one is replayed by it. */
  openMs: 120_000,
  settingMs: 30_000,
  /** A person may have to log in somewhere meanwhile. */
  callMs: 300_000,
  /** How often an agent that does not come up is tried again for a prompt. */
  openAttempts: 5,
  sweepMs: 15_000,
};
export type SessionTiming = typeof DEFAULT_TIMING;

/** Reads and writes for agents that leave files to their client; confined to the given folders. */
export type SessionFiles = {
  readTextFile(folders: readonly string[], path: string, range: { line?: number; limit?: number }): Promise<string>;
  writeTextFile(folders: readonly string[], path: string, text: string): Promise<void>;
};

export type SessionManagerDeps = {
  config: Pick<GatewayConfig, "workspace" | "roots" | "dataFolder" | "idleSeconds" | "permissionTimeoutSeconds"> & {
    limits: Pick<GatewayConfig["limits"], "sessions" | "queuedPrompts" | "pendingPermissions">;
  };
  log: EventLog;
  stores: SessionStores;
  agents: AgentManager;
  /** Null: agents are told that there are no such methods. */
  files: SessionFiles | null;
  /** A line of the gateway's own log. Nothing secret is passed. */
  report: (message: string, fields: Record<string, unknown>) => void;
  now: () => number;
  timing?: Partial<SessionTiming>;
};

/** What all concerns of the sessions share. */
export type SessionContext = Omit<SessionManagerDeps, "timing"> & {
  timing: SessionTiming;
  sessions: Map<string, LiveSession>;
  /** Sessions that are being made. */
  creating: number;
  /** Agents on their way up. */
  starts: Set<Pick<Start<unknown>, "abandon">>;
  /** Nothing new is begun. */
  shuttingDown: boolean;
  /** The log may be closed: nothing is written any more. */
  ended: boolean;
};

export function createContext({ timing, ...deps }: SessionManagerDeps): SessionContext {
  return {
    ...deps,
    timing: { ...DEFAULT_TIMING, ...timing },
    sessions: new Map(),
    creating: 0,
    starts: new Set(),
    shuttingDown: false,
    ended: false,
  };
}

export const isoNow = (context: SessionContext): string => new Date(context.now()).toISOString();

/** Stages an event of the gateway's own about a session; `data` is JSON and holds no secret. */
export function emit(
  context: SessionContext,
  session: LiveSession,
  type: string,
  data: object,
  options: { promptId?: string | null; assigned?: (seq: number) => void } = {},
): void {
  if (session.removed || context.ended) return;
  const event = {
    sessionId: session.record.id,
    type,
    promptId: options.promptId ?? null,
    members: `"data":${JSON.stringify(data)}`,
  };
  context.log.stage(event, options.assigned);
  context.log.commitSoon();
}

/** The session's row is written with the next commit, once however often it changes until then. */
export function persist(context: SessionContext, session: LiveSession, touched = true): void {
  if (session.removed || context.ended) return;
  if (touched) session.record.updatedAt = isoNow(context);
  if (session.rowStaged) return;
  session.rowStaged = true;
  context.log.stageWrite(session.writeRow);
  context.log.commitSoon();
}

const RETRY_MS = 1000;

/** Calls `then` once everything staged by now is committed, however long the disk is full. */
export function afterCommit(context: SessionContext, then: () => void): void {
  context.log.settled().then(then, () => {
    if (!context.shuttingDown) setTimeout(() => afterCommit(context, then), RETRY_MS).unref();
  });
}

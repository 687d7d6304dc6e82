import type { Database } from "bun:sqlite";
import type {
  Elicitation,
  ElicitationAnswer,
  JsonObject,
  NewPrompt,
  NewSession,
  Permission,
  PermissionAnswer,
  Prompt,
  PromptAnswer,
  PromptStatus,
  Session,
  SessionPatch,
  SessionStatus,
} from "./wire/index.ts";

export type * from "./agent-types.ts";

/** The variables a gateway or one of its children is given. */
export type Environment = Record<string, string | undefined>;

/** An event on its way into the log, which gives it its seq and time when it is committed. */
export type StagedEvent = {
  /** Empty for an event of no session. */
  sessionId: string;
  /** `^[a-z0-9_]{1,64}$` */
  type: string;
  promptId: string | null;
  /** What follows the envelope: `"update":{…}` or `"data":{…}`, valid JSON on one line. */
  members: string;
};

/** What a reader wants of the log. */
export type ReaderOptions = {
  /** Absent: all sessions. */
  sessionId?: string;
  /** The seq of the last event the reader has. */
  after: number;
  /** Absent: all types. `gap` is always given. */
  types?: ReadonlySet<string>;
};

/** A cursor that pulls: it costs nothing while it stands still, and never loses an event silently. */
export type LogReader = {
  /** Seq of the last event passed, given or left out by its type. */
  readonly position: number;
  /**
   * The next events as SSE frames, at least one and about `maxBytes` at most; null when there are
   * none now. Retention that has passed the reader is told as a `gap` frame.
   */
  next(maxBytes?: number): Uint8Array | null;
  /** Resolves when `next` may have more, when the session was deleted, or on abort. */
  wait(signal?: AbortSignal): Promise<void>;
  /** The session was deleted and everything up to that was given. */
  readonly ended: boolean;
};

/** The gateway's one sequence of events, in SQLite. Nothing is given to a reader before it is committed. */
export type EventLog = {
  /**
   * Takes an event up; `assigned` is called with its seq in the commit, before any staged write, and
   * again with another one when that commit failed and is repeated.
   * @throws TypeError for a type that is none
   */
  stage(event: StagedEvent, assigned?: (seq: number) => void): void;
  /** A change of other tables that must hold if and only if the events staged with it do. */
  stageWrite(write: (db: Database) => void): void;
  /** Commits at the end of this turn of the event loop, or now when much is staged. */
  commitSoon(): void;
  /** Resolves when everything staged before the call is committed. Rejects with `storage_full`. */
  settled(): Promise<void>;
  /** Resolves at once unless so much is staged that its producers should pause. */
  room(): Promise<void>;
  lastSeq(sessionId?: string): number;
  reader(options: ReaderOptions): LogReader;
  /** Stages `session_deleted` and the removal of the session's events. */
  remove(sessionId: string): void;
  /** The last commit failed. It is tried again; what is staged stays, but nothing new should be taken on. */
  isFull(): boolean;
  /** Its file was removed: nothing new should be taken on, and only a restart helps. */
  isRemoved(): boolean;
  stats(): LogStats;
  /** Commits, checkpoints and closes the database. */
  close(): void;
};

export type LogStats = {
  /** In use of the database. */
  bytes: number;
  stagedBytes: number;
  isFull: boolean;
  lastSeq: number;
  commits: number;
  /** ISO 8601; null when nothing ever happened. */
  lastEventAt: string | null;
};

/** Who calls: the name of the token, and what it allows. */
export type Caller = { name: string; scopes: ReadonlySet<Scope> };

export const SCOPES = ["read", "prompt", "approve", "files", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A permission or an elicitation came up or was resolved. */
export type PendingChange = { kind: "permission"; value: Permission } | { kind: "elicitation"; value: Elicitation };

/** `GET /v1/activity`: what a control plane must know before it stops a sandbox. */
export type Activity = {
  /** Nothing runs, nothing waits for a person, nobody is attached. */
  idle: boolean;
  sessions: number;
  turnsRunning: number;
  promptsQueued: number;
  permissionsPending: number;
  elicitationsPending: number;
  clientsAttached: number;
  terminalsOpen: number;
  agentsRunning: number;
  lastSeq: number;
  /** ISO 8601; null when nothing ever happened. */
  lastEventAt: string | null;
};

/** What every surface calls. Each throws GatewayError; an id it does not know is `session_not_found`. */
export type SessionManager = {
  create(input: NewSession, caller: Caller): Promise<Session>;
  get(id: string): Session;
  list(filter: { agent?: string; status?: SessionStatus; cursor?: string; limit: number }): {
    sessions: Session[];
    nextCursor: string | null;
  };
  patch(id: string, patch: SessionPatch, caller: Caller): Promise<Session>;
  /** Ends its process and queue; the log stays. A closed session is opened again by `open`. */
  close(id: string): Promise<Session>;
  remove(id: string): Promise<void>;
  /** Starts its process now, by session/load or session/resume. */
  open(id: string, how: "load" | "resume"): Promise<Session>;
  fork(id: string, caller: Caller): Promise<Session>;
  prompt(
    id: string,
    input: NewPrompt,
    options: { caller: Caller; idempotencyKey?: string },
  ): Promise<{ promptId: string; seq: number; status: PromptStatus }>;
  getPrompt(id: string, promptId: string): Prompt;
  listPrompts(
    id: string,
    options: { cursor?: string; limit: number },
  ): { prompts: Prompt[]; nextCursor: string | null };
  /** Resolves when the prompt has ended, or with what it is after `ms`. */
  waitForPrompt(id: string, promptId: string, ms: number, signal?: AbortSignal): Promise<Prompt | PromptAnswer>;
  /** Cancels the running prompt and, with `queued`, those that wait. */
  cancel(id: string, options?: { queued?: boolean; promptId?: string }): Promise<{ cancelled: string[] }>;
  setMode(id: string, modeId: string): Promise<Session>;
  setConfig(id: string, configId: string, value: string | boolean): Promise<Session>;
  /** Any other method of the protocol for this session (authenticate, logout, providers/*, …): ids are put in. */
  call(id: string, method: string, params: JsonObject): Promise<JsonObject>;
  permissions(id: string, status?: Permission["status"]): Permission[];
  answerPermission(id: string, permissionId: string, answer: PermissionAnswer, caller: Caller): Promise<Permission>;
  elicitations(id: string, status?: Elicitation["status"]): Elicitation[];
  answerElicitation(id: string, elicitationId: string, answer: ElicitationAnswer, caller: Caller): Promise<Elicitation>;
  /** Called for each change, synchronously, after it is committed. Returns what ends that. */
  onPending(listener: (change: PendingChange) => void): () => void;
  /** Counts a client as attached to a session, or to all with "", until the returned function is called. */
  attach(id: string): () => void;
  /** What was said, as Markdown or as messages. */
  transcript(id: string): Promise<{ messages: JsonObject[] }>;
  activity(): Omit<Activity, "terminalsOpen">;
  /** Cancels what runs, ends the agents and writes what they still say. */
  shutdown(): Promise<void>;
};

/** A token that callers may present. Its text is known nowhere in the gateway. */
export type NamedToken = { name: string; sha256: Buffer; scopes: ReadonlySet<Scope> };

/** How much of each thing there may be; what is asked beyond is refused. */
export type Limits = {
  sessions: number;
  /** Processes of agents. */
  processes: number;
  /** Waiting in one session. */
  queuedPrompts: number;
  /** Permissions and, apart from them, elicitations that wait in one session. */
  pendingPermissions: number;
  readersPerSession: number;
  readers: number;
  sockets: number;
  terminals: number;
  /** Of a request. */
  bodyBytes: number;
  /** Of all requests that are being read at one time. */
  bodiesBytes: number;
  /** Of one message of an agent. */
  lineBytes: number;
  fileBytes: number;
  requestsInFlight: number;
  /** Of one token; 0 is without limit. */
  requestsPerMinute: number;
  /** Of all callers together, tickets and cookies included; 0 is without limit. */
  wrongTokensPerMinute: number;
};

/** What the gateway was started with; see `loadConfig`. */
export type GatewayConfig = {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Empty: whoever reaches the gateway may do everything, and it listens on loopback only. */
  tokens: readonly NamedToken[];
  /** Absolute path of an existing folder. */
  workspace: string;
  /** Absolute paths of existing folders, the workspace among them, in which sessions may work. */
  roots: readonly [string, ...string[]];
  /** Where the gateway keeps its database and the agents it installed; made when needed. */
  dataFolder: string;
  /** Where agents are installed and looked for before PATH. */
  agentsFolder: string;
  /** Names under which the gateway may be called, beside loopback and addresses. `*.x` is any below x, `*` any. */
  hosts: readonly string[];
  /** Origins of pages that may call it, such as `https://pod.example.com`. */
  origins: readonly string[];
  /** A JSON file with more or other agents. */
  agentsFile: string | null;
  /** File or http(s) URL of a registry in the public format. */
  registry: string | null;
  installAllowed: boolean;
  log: {
    synchronous: "normal" | "off";
    /** What the events may take, of all sessions and of one; the oldest go first. */
    bytes: number;
    sessionBytes: number;
    /** Age at which events go; 0 keeps them. */
    days: number;
  };
  /** After this long without a prompt or a client a session's process ends; 0 never. */
  idleSeconds: number;
  /** Of a process group; 0 is without limit. */
  agentMemoryBytes: number;
  /** How long a permission waits where its session says nothing; 0 for ever. */
  permissionTimeoutSeconds: number;
  limits: Limits;
  projectId: string | null;
  image: string | null;
  flavor: string | null;
  addons: string[];
};

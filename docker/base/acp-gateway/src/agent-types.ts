import type { JsonObject, JsonValue } from "./wire/index.ts";

/** How a process of an agent ended. */
export type AgentExit = {
  code: number | null;
  signal: string | null;
  /** The last of its stderr, secrets blanked. */
  stderrTail: string;
  /** We asked it to end. */
  asked: boolean;
  /** Why the gateway ended it without being asked, such as the memory it used. */
  reason?: string;
};

/** What a session wants to hear from its agent. Calls are synchronous and in the order of the wire. */
export type AgentSessionHandlers = {
  /** A `session/update`. `raw` is the JSON text of `update` as it came; `meta` that of the params' `_meta`. */
  onUpdate(update: JsonObject & { sessionUpdate: string }, raw: string, meta: string | null): void;
  /** Any other notification that names the session. */
  onNotification(method: string, params: JsonObject): void;
  /** A request; what it resolves or rejects with is the answer. Aborted when the agent cancels it or ends. */
  onRequest(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue>;
};

/** A running, initialized agent. */
export type AgentHandle = {
  readonly pid: number;
  readonly agentId: string;
  /** The result of `initialize`, as it came. */
  readonly initialized: JsonObject;
  /**
   * Without `timeoutMs` it waits until the agent answers or ends. What it sends goes out in the order of the calls.
   * @throws GatewayError agent_error, auth_required, agent_exited, agent_timeout, agent_protocol
   */
  request(
    method: string,
    params: JsonObject,
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<JsonObject>;
  notify(method: string, params: JsonObject): void;
  /** Hears a session of this process; what came for it before is given at once. Returns what ends that. */
  attach(agentSessionId: string, handlers: AgentSessionHandlers): () => void;
  readonly exited: Promise<AgentExit>;
  /**
   * EOF, then SIGTERM, then SIGKILL of the whole group; with `atOnce` only the last. Of a shared process
   * this ends only the key's share of it; the process ends with the last.
   */
  stop(options?: { atOnce?: boolean }): Promise<AgentExit>;
  /** SIGKILL of the whole group at once, also for those who share it. */
  kill(): Promise<AgentExit>;
};

/** An agent's process without the gateway's protocol: lines in and out. */
export type RawAgent = {
  readonly pid: number;
  /** One line without its end. The agent is ended when it does not read and too much waits. */
  write(line: string): void;
  /** Stops reading its stdout, so that it waits in its writes. */
  pause(): void;
  resume(): void;
  readonly exited: Promise<AgentExit>;
  stop(): Promise<AgentExit>;
};

/** How an agent's own program is run. */
export type AgentCommand = { argv: [string, ...string[]]; env: Record<string, string> };

export type StartAgent = {
  agentId: string;
  /** Who shares the process: one key, one process. */
  key: string;
  cwd: string;
  /** Checked names and values, on top of what the registry entry gives. */
  env: Record<string, string>;
  /** Aborted, the start fails at once with the reason, and a process that nobody else waits for is killed. */
  signal?: AbortSignal;
};

/** An agent in short. */
export type AgentOutline = Pick<AgentReport, "id" | "installed" | "initialized">;

/** A crowd of agents: what is known, what is here, what runs. */
export type AgentManager = {
  list(): Promise<AgentReport[]>;
  find(id: string): Promise<AgentReport | undefined>;
  /** What `list` says without running a program for its version. */
  outline(): Promise<AgentOutline[]>;
  /** The registry entry itself: which variables it accepts, whether its process is shared. */
  entry(id: string): AgentEntry | undefined;
  /** Starts and initializes, or gives the running process of the key. Waits out a backoff. */
  start(options: StartAgent): Promise<AgentHandle>;
  /** Starts a process that is nobody else's. `onLine` hears each line of its stdout as it came, without "\n". */
  startRaw(options: StartAgent, handlers: { onLine(line: string): void }): Promise<RawAgent>;
  /** @throws GatewayError agent_not_found, agent_not_installed, invalid_request for a variable not accepted */
  command(id: string, env?: Readonly<Record<string, string>>): Promise<AgentCommand>;
  /** What to send as `authenticate` before session/new and session/load; null when there is nothing to send. */
  authentication(id: string, env: Readonly<Record<string, string>>): { methodId: string; _meta?: JsonObject } | null;
  /** What agents did since the start, by name. */
  counters(): Readonly<Record<string, number>>;
  /** Runs the agent once to learn what it can do, and ends it. */
  probe(id: string): Promise<AgentReport>;
  install(id: string): Promise<AgentReport>;
  running(): { agentId: string; key: string; pid: number; startedAt: string; rssBytes: number | null }[];
  close(): Promise<void>;
};

/** How the agents of one kind differ from the rest. */
export type AgentQuirks = {
  /** Client methods `fs/*` are offered to it. */
  advertiseFs: boolean;
  /** Set after `session/new`, so that it asks for permission. */
  defaultMode?: string;
  /** It cancels the running prompt when another comes; it must never see two. */
  cancelsOnSecondPrompt: boolean;
  /** `session/load` in a new process works. */
  loads: boolean;
  resumes: boolean;
  /** Major version of Node.js it needs. */
  minimumNode?: number;
  /** How it is given a key that variables hold: by `authenticate`, before a session is made or loaded. */
  authenticate?: {
    /** The variable without which there is nothing to log in with. */
    needs: string;
    methodId: string;
    /** A string value "$NAME" stands for the variable's value. */
    meta?: JsonObject;
    /** The variable stays out of the agent's process, where its tools could print it. */
    withhold: boolean;
    /** With one of these variables the agent logs in by itself. */
    unless?: readonly string[];
  };
};

/** An agent the gateway knows how to start. */
export type AgentEntry = {
  id: string;
  name: string;
  /** Program and arguments that speak the Agent Client Protocol on stdio. */
  command: readonly [string, ...string[]];
  /** Set for its process; `${HOME}` and the like are not expanded. */
  env: Readonly<Record<string, string>>;
  /** Names, with `*` at the end allowed, that a session may set and that are passed on from the gateway. */
  acceptsEnv: readonly string[];
  /** One process for each session, or one for all of the same folder and environment. */
  process: "session" | "shared";
  install: AgentPackage | null;
  quirks: AgentQuirks;
};

/** What npm installs: a package at one exact version. */
export type AgentPackage = {
  package: string;
  version: string;
  /** It does not work without the install scripts of its packages, which otherwise never run. */
  scripts?: boolean;
};

/** What `GET /v1/agents` says about one entry on this machine. */
export type AgentReport = {
  id: string;
  name: string;
  /** Its program was found. */
  installed: boolean;
  /** Null when absent, or when the program tells no version. */
  version: string | null;
  command: string[];
  /** Names of variables that a session may set; `*` at one end is anything. */
  acceptsEnv: string[];
  /** It can be installed from npm, at this version. */
  installable: { package: string; version: string } | null;
  quirks: AgentQuirks;
  /** The last result of its `initialize`; null until it has run here. */
  initialized: JsonObject | null;
};

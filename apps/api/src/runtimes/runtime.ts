import type { LogLine, ProjectEventType, ProjectUrls, RuntimeName, SandboxState } from "@agentpod/types";

/** A service of the sandbox: where it listens inside and on this host's loopback. */
export interface SandboxPort {
  /** `opencode`, `gateway`, or an addon's id. */
  name: string;
  containerPort: number;
  /** Allocated by the caller and kept over redeploys; null where a proxy routes instead. */
  hostPort: number | null;
}

/** What a runtime is asked to run. Names and labels follow from `projectId` alone. */
export interface SandboxSpec {
  projectId: string;
  slug: string;
  /** Grows with every change of the configuration. */
  generation: number;
  imageRef: string;
  flavorId: string;
  /** Sorted, without doubles. */
  addonIds: readonly string[];
  limits: { cpus: number; memoryBytes: number; storageBytes: number };
  requiresGpu: boolean;
  ports: readonly SandboxPort[];
  urls: ProjectUrls;
  sourceUrl: string | null;
  /** Secret; for this sandbox's gateway alone. */
  gatewayToken: string;
  /** Further environment of the sandbox; values may be secret. */
  env: Readonly<Record<string, string>>;
}

/** `data` must be free of secrets: it is stored and streamed. */
export type Report = (type: ProjectEventType, data?: Record<string, unknown>) => void;

export interface StepContext {
  report: Report;
  signal: AbortSignal;
}

/** All that is needed to stop or remove a sandbox: it must work for one that could not be specified any more. */
export type SandboxRef = Pick<SandboxSpec, "projectId">;

/**
 * A piece of work that leaves the same state however often it runs, also when an earlier run was
 * cut off anywhere in its middle. Fails with a RuntimeError.
 */
export interface Step<Target extends SandboxRef = SandboxSpec> {
  name: string;
  run: (target: Target, context: StepContext) => Promise<void>;
}

export interface RuntimeCapabilities {
  gpu: boolean;
  /** Data outlives a redeploy. */
  volumes: boolean;
  /** Addons run; without it they are a warning and their URLs null. */
  addons: boolean;
  /** The tier's limits are enforced. */
  limits: boolean;
  /** A sandbox cannot touch the host or another sandbox. */
  isolation: boolean;
  /** Services are published on this host's loopback; without it a proxy routes to them. */
  hostPorts: boolean;
  /** What one sandbox can get at most; null where unknown. */
  cpusMax: number | null;
  memoryBytesMax: number | null;
}

export interface ObservedSandbox {
  projectId: string;
  state: SandboxState;
  generation: number | null;
  /** ISO 8601, UTC. */
  startedAt: string | null;
  exitCode: number | null;
}

export interface LogOptions {
  /** Lines from the end, before following. */
  tail: number;
  follow: boolean;
  signal: AbortSignal;
}

/** `unavailable` and `timeout` are worth another try; `port_conflict` after new ports were allocated. */
export type RuntimeFailure =
  | "unavailable"
  | "timeout"
  | "port_conflict"
  | "image_unavailable"
  | "source_clone_failed"
  | "sandbox_exited"
  | "not_healthy"
  | "not_found"
  | "rejected";

/** The one error a runtime fails with. The message is for the user and free of secrets. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly failure: RuntimeFailure;
  /** How long what failed asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: RuntimeFailure, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** @throws RuntimeError `rejected` for a service without a port on this host */
export function hostPortOf({ name, hostPort }: SandboxPort): number {
  if (hostPort !== null) return hostPort;
  throw new RuntimeError("rejected", `${name} has no port on this host; deploy the project to give it one`);
}

/** Where sandboxes run. */
export interface Runtime {
  readonly name: RuntimeName;
  readonly capabilities: RuntimeCapabilities;
  /** In the order they run; `deploy` brings a sandbox up from nothing or from any half-made state. */
  readonly steps: {
    deploy: readonly Step[];
    /** Starts what `deploy` made; fails with `not_found` when it is gone. */
    start: readonly Step[];
    stop: readonly Step<SandboxRef>[];
    /** Removes everything of the project, data included; already gone is fine. */
    remove: readonly Step<SandboxRef>[];
    /** After a deploy or start that failed for good: nothing of it goes on ending and starting again. */
    abandon: readonly Step<SandboxRef>[];
  };
  /** Whether the runtime answers now. Never throws. */
  probe: () => Promise<{ ok: true; version: string } | { ok: false; message: string }>;
  inspect: (projectId: string) => Promise<ObservedSandbox>;
  /**
   * Every project of this installation of which anything is left: sandbox, volume or folder. A cheap
   * look: `startedAt` and `exitCode` may be null where `inspect` would know them.
   */
  list: () => Promise<ObservedSandbox[]>;
  /** Same as the `remove` steps, for a project the database does not know. */
  sweep: (projectId: string) => Promise<void>;
  /** Lines in order. Ends at the end of the log, or with `follow` when the sandbox ends or `signal` aborts. */
  logs: (projectId: string, options: LogOptions) => AsyncIterable<LogLine>;
  /** Graceful end of the control plane. */
  close: () => Promise<void>;
}

import type { Operation } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import pLimit, { type LimitFunction } from "p-limit";
import type { Logger } from "../http/logger.ts";
import { ApiError } from "../http/problem.ts";
import { getOperation, listActiveOperations, toOperation, updateOperation } from "../models/operation.ts";
import { getProjectById, type ProjectRecord } from "../models/project.ts";
import { RuntimeError, type Runtime, type SandboxSpec, type StepContext } from "../runtimes/runtime.ts";
import { backoffMs, sleep, type RetryPolicy, unlessAborted } from "./backoff.ts";
import type { EventLog } from "./event-log.ts";
import type { OperationOutcome } from "./operation-observer.ts";
import { inTurn } from "./in-turn.ts";
import { concludeFailure, concludeSuccess, type Failure } from "./operation-outcome.ts";
import { isTransient, leavesRuins, planSteps } from "./operation-plan.ts";
import { ownerOf } from "./project-owner.ts";
import { createStepRunner, type StepRunnerDeps } from "./operation-steps.ts";
import { toApiError } from "./to-api-error.ts";

export interface OperationRunnerDeps extends StepRunnerDeps {
  db: Database;
  runtime: Runtime;
  events: EventLog;
  logger: Logger;
  specOf: (project: ProjectRecord) => SandboxSpec;
  /** Gives the project other host ports, after one of its own turned out to be taken. */
  reallocatePorts: (project: ProjectRecord) => Promise<void>;
  /** Operations at work at a time: as many that make or start, and as many that stop or delete. */
  concurrency: number;
  retry: RetryPolicy;
  /** How long to wait before an operation is taken up again whose state could not be recorded. */
  recordAgainMs?: number;
}

export type OperationRunner = ReturnType<typeof createOperationRunner>;

const portConflictsMax = 5;
const replansMax = 1;

/**
 * Carries recorded operations to their end, one at a time for each project. What is recorded survives
 * the process: `resume` picks up everything that an earlier one left unfinished.
 */
export function createOperationRunner(deps: OperationRunnerDeps) {
  const { db, runtime, events, logger } = deps;
  const runSteps = createStepRunner(deps);
  // Making a sandbox may pull, build or clone for minutes; stopping another must not wait for that.
  const slow = pLimit(deps.concurrency);
  const quick = pLimit(deps.concurrency);
  /** No further work is begun, and nothing waits for another try. */
  const draining = new AbortController();
  /** What is at work is cut off. */
  const stopping = new AbortController();
  /** By operation. */
  const running = new Map<string, { work: Promise<void>; cancelled: AbortController }>();
  /** By project: the work that the next one waits for. One that was cancelled may still be letting go of the sandbox. */
  const latest = new Map<string, Promise<void>>();
  const waiters = new Map<string, Set<() => void>>();

  function submit(operationId: string): void {
    const operation = getOperation(db, operationId);
    if (!operation || running.has(operationId)) return;
    const { projectId, kind } = operation;
    const lane = kind === "stop" || kind === "delete" ? quick : slow;
    const cancelled = new AbortController();
    const work = Promise.allSettled([latest.get(projectId)])
      .then(() => workOn(operationId, lane, cancelled.signal))
      .finally(() => {
        running.delete(operationId);
        if (latest.get(projectId) === work) latest.delete(projectId);
      });
    running.set(operationId, { work, cancelled });
    latest.set(projectId, work);
  }

  function isOwn(projectId: string): boolean {
    const project = getProjectById(db, projectId);
    return !project || (ownerOf(project) ?? runtime.name) === runtime.name;
  }

  async function workOn(operationId: string, lane: LimitFunction, cancelled: AbortSignal): Promise<void> {
    while (!(await isOver(operationId, lane, cancelled))) await sleep(deps.recordAgainMs ?? 5_000, draining.signal);
    for (const resolve of waiters.get(operationId) ?? []) resolve();
    waiters.delete(operationId);
  }

  /** False when what happened could not even be recorded, as on a full disk: it goes on when it can. */
  async function isOver(operationId: string, lane: LimitFunction, cancelled: AbortSignal): Promise<boolean> {
    try {
      await inTurn(lane, cancelled, () => execute(operationId, cancelled));
      return true;
    } catch (error) {
      logger.error({ err: error, operationId }, "an operation could not be recorded; it is tried again");
      return draining.signal.aborted;
    }
  }

  async function execute(operationId: string, cancelled: AbortSignal): Promise<void> {
    const operation = getOperation(db, operationId);
    if (draining.signal.aborted || !operation || !isActive(operation)) return;
    const signal = AbortSignal.any([stopping.signal, cancelled]);
    const attempt = operation.attempt + 1;
    updateOperation(db, operationId, {
      status: "running",
      attempt,
      startedAt: operation.startedAt ?? new Date().toISOString(),
    });
    const about = { operationId, projectId: operation.projectId, kind: operation.kind };
    const startedAt = performance.now();
    const tell = (outcome: OperationOutcome, code: string | null = null) =>
      deps.observer?.operationFinished({ ...about, outcome, code, ms: performance.now() - startedAt });
    deps.observer?.operationStarted({ ...about, attempt });
    try {
      if (operation.retryAt !== null) await pause(Date.parse(operation.retryAt) - Date.now(), signal);
      await carryOut({ ...operation, attempt }, signal);
      tell(cancelled.aborted ? "cancelled" : "succeeded");
    } catch (error) {
      // A graceful stop leaves the operation as it is, and the next start resumes it; a cancelled one is over.
      if (signal.aborted || error instanceof Parked) return tell(cancelled.aborted ? "cancelled" : "parked");
      tell("failed", await fail({ ...operation, attempt }, error, signal));
    }
  }

  /** Tries until it is done; throws what no further try can help. */
  async function carryOut(operation: Operation, signal: AbortSignal): Promise<void> {
    let transientTries = 0;
    let portConflicts = 0;
    let replans = 0;
    for (;;) {
      const project = getProjectById(db, operation.projectId);
      if (!project) throw new ApiError("project_not_found", "The project is gone.");
      try {
        await runSteps(operation, await plan(operation, project, signal), contextOf(operation, signal));
        return concludeSuccess(deps, operation, project);
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof RuntimeError && error.failure === "port_conflict" && portConflicts < portConflictsMax) {
          portConflicts += 1;
          await deps.reallocatePorts(project);
          continue;
        }
        // What the plan counted on is gone, a network for one: the next plan starts from what is left.
        if (error instanceof RuntimeError && error.failure === "not_found" && replans < replansMax) {
          replans += 1;
          continue;
        }
        transientTries += 1;
        if (!isTransient(error) || transientTries >= deps.retry.attemptsMax) throw error;
        await waitForRetry(operation, error, transientTries, signal);
      }
    }
  }

  async function plan(operation: Operation, project: ProjectRecord, signal: AbortSignal): ReturnType<typeof planSteps> {
    return await planSteps({
      kind: operation.kind,
      runtime,
      inspect: () => unlessAborted(runtime.inspect(project.id), signal),
      projectId: project.id,
      generation: project.generation,
      spec: () => deps.specOf(project),
    });
  }

  const contextOf = ({ id, projectId }: Operation, signal: AbortSignal): StepContext => ({
    signal,
    // After its end, as of one that was cancelled, an operation has nothing to tell.
    report: (type, data) => {
      if (!signal.aborted) events.append({ projectId, operationId: id, type, ...(data ? { data } : {}) });
    },
  });

  async function waitForRetry(
    { id, projectId }: Operation,
    error: RuntimeError,
    tries: number,
    signal: AbortSignal,
  ): Promise<void> {
    const delayMs = Math.max(
      backoffMs(tries, deps.retry),
      Math.min(error.retryAfterMs ?? 0, deps.retry.retryAfterMsMax ?? 120_000),
    );
    db.transaction(() => {
      updateOperation(db, id, { retryAt: new Date(Date.now() + delayMs).toISOString() });
      const data = { code: error.failure, message: error.message, delayMs, attempt: tries };
      events.record({ projectId, operationId: id, type: "retrying", data });
    }).immediate();
    events.wake();
    await pause(delayMs, signal);
    updateOperation(db, id, { retryAt: null });
  }

  /** @throws Parked when the control plane closes meanwhile */
  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, AbortSignal.any([draining.signal, signal]));
    if (draining.signal.aborted) throw new Parked();
    signal.throwIfAborted();
  }

  /** Returns the code that the operation failed with. */
  async function fail(operation: Operation, error: unknown, signal: AbortSignal): Promise<string> {
    const step = getOperation(db, operation.id)?.step ?? null;
    const failure = failureOf(error, step);
    const about = { operationId: operation.id, projectId: operation.projectId, step };
    if (failure === undefined) logger.error({ err: error, ...about }, "operation failed unexpectedly");
    if (leavesRuins(operation.kind, error)) {
      const steps = runtime.steps.abandon.map(({ name, run }) => ({
        name,
        run: (context: StepContext) => run({ projectId: operation.projectId }, context),
      }));
      try {
        await runSteps(operation, steps, contextOf(operation, signal));
      } catch (cause) {
        if (signal.aborted) return failure?.code ?? "internal";
        logger.warn({ err: cause, ...about }, "what a failed operation left could not be stopped");
      }
    }
    const message = `Something unexpected happened; the log has operation ${operation.id}.`;
    const concluded = failure ?? { code: "internal", message, step };
    concludeFailure(deps, operation, concluded);
    return concluded.code;
  }

  function ended(operationId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const set = waiters.get(operationId) ?? new Set();
      const done = () => {
        signal.removeEventListener("abort", done);
        set.delete(done);
        resolve();
      };
      waiters.set(operationId, set.add(done));
      signal.addEventListener("abort", done, { once: true });
    });
  }

  return {
    submit,

    /** Cuts off an operation that was recorded as cancelled; what is submitted next waits until it has let go. */
    cancel: (operationId: string): void => running.get(operationId)?.cancelled.abort(),

    /**
     * Submits everything unfinished; returns how many. What was begun on another runtime waits for it: here it
     * would make a second sandbox, or find nothing to delete.
     */
    resume(): number {
      const unfinished = listActiveOperations(db);
      const own = unfinished.filter(({ projectId }) => isOwn(projectId));
      const waiting = unfinished.length - own.length;
      if (waiting > 0)
        logger.warn({ waiting, runtime: runtime.name }, "operations of projects on another runtime wait for it");
      for (const { id } of own) submit(id);
      return own.length;
    },

    /** The operation as it stands when it is at its end, the signal aborts or the control plane closes. */
    async finished(operationId: string, signal: AbortSignal): Promise<Operation | null> {
      const until = AbortSignal.any([signal, draining.signal]);
      const before = getOperation(db, operationId);
      if (!until.aborted && before && isActive(before)) await ended(operationId, until);
      const operation = getOperation(db, operationId);
      return operation ? toOperation(operation) : null;
    },

    /** From now on nothing is begun, and who waits for an operation's end is answered. */
    drain: (): void => draining.abort(),

    /**
     * Begins nothing new, gives what is at work `graceMs` to end, and parks the rest: it stays recorded
     * as running and goes on at the next start.
     */
    async close(graceMs = 0): Promise<void> {
      draining.abort();
      const works = [...running.values()].map(({ work }) => work);
      const grace = new AbortController();
      await Promise.race([Promise.allSettled(works).then(() => grace.abort()), sleep(graceMs, grace.signal)]);
      grace.abort();
      stopping.abort();
      await Promise.allSettled(works);
    },
  };
}

/** The control plane closes while an operation waits for its next try. */
class Parked extends Error {
  override readonly name = "Parked";
}

const isActive = ({ status }: Pick<Operation, "status">): boolean => status === "pending" || status === "running";

/** What the user is told; undefined for what is not theirs to know. */
function failureOf(error: unknown, step: string | null): Failure | undefined {
  if (error instanceof RuntimeError) return { code: error.failure, message: error.message, step };
  const known = toApiError(error);
  return known && { code: known.code, message: known.message, step };
}

import type { Operation } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import pLimit from "p-limit";
import type { Logger } from "../http/logger.ts";
import { ApiError } from "../http/problem.ts";
import { getOperation, listActiveOperations, toOperation, updateOperation } from "../models/operation.ts";
import { getProjectById, type ProjectRecord } from "../models/project.ts";
import { RuntimeError, type Runtime, type SandboxSpec, type StepContext } from "../runtimes/runtime.ts";
import { backoffMs, sleep, type RetryPolicy } from "./backoff.ts";
import type { EventLog } from "./event-log.ts";
import { concludeFailure, concludeSuccess, type Failure } from "./operation-outcome.ts";
import { isTransient, planSteps } from "./operation-plan.ts";
import { toApiError } from "./to-api-error.ts";

export interface OperationRunnerDeps {
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
  /** Called before each step; tests stop the process here. */
  beforeStep?: ((operation: Operation, step: string) => Promise<void> | void) | undefined;
}

export type OperationRunner = ReturnType<typeof createOperationRunner>;

const portConflictsMax = 5;
const replansMax = 1;

/**
 * Carries recorded operations to their end. What is recorded survives the process: `resume` picks up
 * everything that an earlier one left unfinished.
 */
export function createOperationRunner(deps: OperationRunnerDeps) {
  const { db, runtime, events, logger } = deps;
  // Making a sandbox may pull, build or clone for minutes; stopping another must not wait for that.
  const slow = pLimit(deps.concurrency);
  const quick = pLimit(deps.concurrency);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const waiters = new Map<string, Set<() => void>>();

  function laneOf(operationId: string): typeof slow {
    const kind = getOperation(db, operationId)?.kind;
    return kind === "stop" || kind === "delete" ? quick : slow;
  }

  function submit(operationId: string): void {
    const work = workOn(operationId).finally(() => running.delete(work));
    running.add(work);
  }

  async function workOn(operationId: string): Promise<void> {
    while (!(await isOver(operationId))) await sleep(deps.recordAgainMs ?? 5_000, stopping.signal);
    for (const resolve of waiters.get(operationId) ?? []) resolve();
    waiters.delete(operationId);
  }

  /** False when what happened could not even be recorded, as on a full disk: it goes on when it can. */
  async function isOver(operationId: string): Promise<boolean> {
    try {
      await laneOf(operationId)(() => execute(operationId));
      return true;
    } catch (error) {
      logger.error({ err: error, operationId }, "an operation could not be recorded; it is tried again");
      return stopping.signal.aborted;
    }
  }

  async function execute(operationId: string): Promise<void> {
    const operation = getOperation(db, operationId);
    if (stopping.signal.aborted || !operation || (operation.status !== "pending" && operation.status !== "running"))
      return;
    const attempt = operation.attempt + 1;
    updateOperation(db, operationId, {
      status: "running",
      attempt,
      startedAt: operation.startedAt ?? new Date().toISOString(),
    });
    try {
      await carryOut({ ...operation, attempt });
    } catch (error) {
      // A graceful stop leaves the operation as it is; the next start resumes it.
      if (!stopping.signal.aborted) fail(operation, error);
    }
  }

  /** Tries until it is done; throws what no further try can help. */
  async function carryOut(operation: Operation): Promise<void> {
    let transientTries = 0;
    let portConflicts = 0;
    let replans = 0;
    for (;;) {
      const project = getProjectById(db, operation.projectId);
      if (!project) throw new ApiError("project_not_found", "The project is gone.");
      try {
        await runSteps(operation, project);
        return concludeSuccess(deps, operation, project);
      } catch (error) {
        if (stopping.signal.aborted) throw error;
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
        const delayMs = backoffMs(transientTries, deps.retry);
        events.append({
          projectId: project.id,
          operationId: operation.id,
          type: "retrying",
          data: { code: error.failure, message: error.message, delayMs, attempt: transientTries },
        });
        await sleep(delayMs, stopping.signal);
        stopping.signal.throwIfAborted();
      }
    }
  }

  async function runSteps(operation: Operation, project: ProjectRecord): Promise<void> {
    const context: StepContext = {
      signal: stopping.signal,
      report: (type, data) =>
        void events.append({ projectId: project.id, operationId: operation.id, type, ...(data ? { data } : {}) }),
    };
    const observed = await runtime.inspect(project.id);
    const steps = planSteps({
      kind: operation.kind,
      runtime,
      observed,
      generation: project.generation,
      spec: () => deps.specOf(project),
    });
    for (const step of steps) {
      stopping.signal.throwIfAborted();
      updateOperation(db, operation.id, { step: step.name });
      await deps.beforeStep?.(operation, step.name);
      await step.run(context);
    }
    updateOperation(db, operation.id, { step: "conclude" });
    await deps.beforeStep?.(operation, "conclude");
  }

  function fail(operation: Operation, error: unknown): void {
    const step = getOperation(db, operation.id)?.step ?? null;
    const failure = failureOf(error, step);
    if (failure === undefined)
      logger.error(
        { err: error, operationId: operation.id, projectId: operation.projectId, step },
        "operation failed unexpectedly",
      );
    const message = `Something unexpected happened; the log has operation ${operation.id}.`;
    concludeFailure(deps, operation, failure ?? { code: "internal", message, step });
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

    /** Submits everything unfinished; returns how many. */
    resume(): number {
      const unfinished = listActiveOperations(db);
      for (const { id } of unfinished) submit(id);
      return unfinished.length;
    },

    /** The operation as it stands when it is at its end or the signal aborts. */
    async finished(operationId: string, signal: AbortSignal): Promise<Operation | null> {
      const { status } = getOperation(db, operationId) ?? {};
      if (!signal.aborted && (status === "pending" || status === "running")) await ended(operationId, signal);
      const operation = getOperation(db, operationId);
      return operation ? toOperation(operation) : null;
    },

    /** Parks what is at work: it stays recorded as running and goes on at the next start. */
    async close(): Promise<void> {
      stopping.abort();
      await Promise.allSettled(running);
    },
  };
}

/** What the user is told; undefined for what is not theirs to know. */
function failureOf(error: unknown, step: string | null): Failure | undefined {
  if (error instanceof RuntimeError) return { code: error.failure, message: error.message, step };
  const known = toApiError(error);
  return known && { code: known.code, message: known.message, step };
}

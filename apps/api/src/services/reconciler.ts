import type { DriftEntry, DriftReport } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import type { Logger } from "../http/logger.ts";
import { ApiError } from "../http/problem.ts";
import { getActiveOperation, latestOperation } from "../models/operation.ts";
import { getProjectById, listProjects, type ProjectRecord } from "../models/project.ts";
import { RuntimeError, type ObservedSandbox, type Runtime } from "../runtimes/runtime.ts";
import { type RetryPolicy, sleep } from "./backoff.ts";
import { findDrift, mayPass, type Finding } from "./drift.ts";
import type { Accepted, ProjectManager } from "./project-manager.ts";
import { createRetryTurns } from "./retry-turns.ts";

export interface ReconcilerDeps {
  db: Database;
  runtime: Runtime;
  projects: Pick<ProjectManager, "start" | "stop" | "remove">;
  logger: Logger;
  /** Between two looks. */
  intervalMs: number;
  /** How failed projects whose trouble may pass, and sandboxes that do not stay as they should, are tried again. */
  retry: Pick<RetryPolicy, "firstDelayMs" | "delayMsMax">;
  now: () => Date;
}

export type Reconciler = ReturnType<typeof createReconciler>;

/** A look does not wait longer for what it removes. */
const SWEEP_MS = 30_000;

/** A report is no longer than this; an installation that is all adrift shows the same in each entry. */
const TOLD_MAX = 1_000;
/** So many rows are looked at before requests are answered again. */
const PAGE = 200;
/** How long a look that is under way is waited for at the end. */
const CLOSE_MS = 500;

type Outcome = Pick<DriftEntry, "action" | "operationId">;
const nothingDone: Outcome = { action: "none", operationId: null };
const waiting: Outcome = { action: "waiting", operationId: null };

/**
 * Compares what runs with what is recorded, again and again, puts right what it can and reports the
 * rest. What no record explains is never touched.
 */
export function createReconciler(deps: ReconcilerDeps) {
  const { db, runtime, projects, logger } = deps;
  let last: DriftReport = { runtime: runtime.name, checkedAt: null, error: null, total: 0, drift: [] };
  let looking: Promise<DriftReport> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const closing = new AbortController();
  /** Found adrift by the last look: a state may also have been seen in passing. */
  let suspects: ReadonlySet<string> = new Set();
  const turns = createRetryTurns({ policy: deps.retry, now: deps.now });
  /** Begun by a look and not at their end yet. */
  const sweeping = new Map<string, Promise<void>>();
  let unknown = "";

  async function look(isSure: boolean): Promise<DriftReport> {
    const checkedAt = deps.now().toISOString();
    try {
      const observed = new Map((await runtime.list()).map((sandbox) => [sandbox.projectId, sandbox]));
      if (closing.signal.aborted) return last;
      const drift = [...(await lookAtProjects(observed, isSure)), ...(await lookAtStrays(observed))];
      last = { runtime: runtime.name, checkedAt, error: null, total: drift.length, drift: drift.slice(0, TOLD_MAX) };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      logger.warn({ err: error, runtime: runtime.name }, "the runtime could not be looked at");
      last = { runtime: runtime.name, checkedAt, error: error.message, total: 0, drift: [] };
    }
    return last;
  }

  async function lookAtProjects(
    observed: ReadonlyMap<string, ObservedSandbox>,
    isSure: boolean,
  ): Promise<DriftEntry[]> {
    const drift: DriftEntry[] = [];
    const adrift = new Set<string>();
    for await (const project of ownProjects(db, runtime)) {
      if (closing.signal.aborted) break;
      if (getActiveOperation(db, project.id)) continue;
      const sandbox = observed.get(project.id);
      const finding = findDrift(project, sandbox);
      if (finding === null) continue;
      adrift.add(project.id);
      const entry = await putRight(project, finding, sandbox, isSure);
      if (entry !== null) drift.push(entry);
    }
    suspects = adrift;
    turns.forget((id) => !adrift.has(id));
    return drift;
  }

  async function putRight(
    project: ProjectRecord,
    finding: Finding,
    sandbox: ObservedSandbox | undefined,
    isSure: boolean,
  ): Promise<DriftEntry | null> {
    const entry = {
      projectId: project.id,
      ...finding,
      desiredState: project.desiredState,
      status: project.status,
      observedState: sandbox?.state ?? "absent",
    };
    try {
      if (finding.kind === "failed") return { ...entry, ...(await retry(project)) };
      if (finding.kind !== "not_running" && finding.kind !== "not_stopped") return { ...entry, ...nothingDone };
      if (!isSure && !suspects.has(project.id)) return { ...entry, action: "watching", operationId: null };
      if (!isSure && !turns.hasTurn(project.id)) return { ...entry, ...waiting };
      const done = await repair(project.id);
      return done && { ...entry, ...done };
    } catch (error) {
      // Requests are answered meanwhile: who came first is right.
      if (error instanceof ApiError && (error.code === "operation_in_progress" || error.code === "project_not_found"))
        return null;
      logger.warn({ err: error, projectId: project.id }, "a project could not be reconciled");
      const message = error instanceof RuntimeError || error instanceof ApiError ? error.message : finding.message;
      return { ...entry, kind: "unreachable", message, ...nothingDone };
    }
  }

  /** Null when a fresh look shows nothing to repair. */
  async function repair(id: string): Promise<Outcome | null> {
    const sandbox = await runtime.inspect(id);
    if (closing.signal.aborted) return null;
    const project = getProjectById(db, id);
    const finding = project && !getActiveOperation(db, id) ? findDrift(project, sandbox) : null;
    if (finding?.kind === "not_running") return repairing(await projects.start(id));
    if (finding?.kind === "not_stopped") return repairing(await projects.stop(id));
    return null;
  }

  function repairing({ project, operation }: Accepted): Outcome {
    turns.take(project.id);
    logger.info({ projectId: project.id, operationId: operation?.id }, "a sandbox is brought in line with its record");
    return { action: "repairing", operationId: operation?.id ?? null };
  }

  async function retry(project: ProjectRecord): Promise<Outcome> {
    if (!mayPass(project)) return nothingDone;
    if (!turns.hasTurn(project.id)) return waiting;
    turns.take(project.id);
    const { operation } = await resumeTowards(project);
    return { action: "retrying", operationId: operation?.id ?? null };
  }

  function resumeTowards({ id, desiredState }: ProjectRecord): Promise<Accepted> {
    switch (desiredState) {
      case "deleted":
        return projects.remove(id);
      case "stopped":
        return projects.stop(id);
      case "running":
        return projects.start(id);
    }
  }

  async function lookAtStrays(observed: ReadonlyMap<string, ObservedSandbox>): Promise<DriftEntry[]> {
    const strays: DriftEntry[] = [];
    let looks = 0;
    for (const { projectId, state } of observed.values()) {
      looks += 1;
      if (looks % PAGE === 0) await nextTurn();
      if (closing.signal.aborted) break;
      if (getProjectById(db, projectId)) continue;
      const about = { projectId, desiredState: null, status: null, observedState: state, operationId: null };
      // Only a recorded, finished delete proves that nobody wants it: after an older backup was
      // restored, an unknown sandbox may well be somebody's work.
      const latest = latestOperation(db, projectId);
      if (latest?.kind !== "delete" || latest.status !== "succeeded") {
        const message = "No record explains it; it is left alone. Remove it by hand if nobody needs its data.";
        strays.push({ ...about, kind: "unknown", message, action: "none" });
        continue;
      }
      strays.push({ ...about, kind: "orphan", ...(await sweep(projectId)) });
    }
    warnOfUnknown(strays.flatMap(({ kind, projectId }) => (kind === "unknown" ? [projectId] : [])));
    return strays;
  }

  async function sweep(projectId: string): Promise<Pick<DriftEntry, "message" | "action">> {
    const left = "It is left of a deleted project";
    try {
      const work = sweeping.get(projectId) ?? runtime.sweep(projectId).finally(() => sweeping.delete(projectId));
      sweeping.set(projectId, work);
      const grace = new AbortController();
      const isLate = sleep(SWEEP_MS, AbortSignal.any([grace.signal, closing.signal])).then(() => false);
      const isDone = await Promise.race([work.then(() => true), isLate]);
      grace.abort();
      if (!isDone) return { message: `${left} and is being removed.`, action: "waiting" };
      logger.info({ projectId }, "what was left of a deleted project was removed");
      return { message: "It was left of a deleted project.", action: "swept" };
    } catch (error) {
      logger.warn({ err: error, projectId }, "what is left of a deleted project could not be removed");
      const why = error instanceof RuntimeError ? error.message : "the log has the reason";
      return { message: `${left} and could not be removed: ${why}`, action: "waiting" };
    }
  }

  function warnOfUnknown(projectIds: string[]): void {
    const now = projectIds.toSorted().join();
    if (now !== unknown && projectIds.length > 0)
      logger.warn({ projectIds }, "the runtime holds sandboxes that the database does not know; they are left alone");
    unknown = now;
  }

  /** Callers at the same time share one look. */
  function lookNow(isSure: boolean): Promise<DriftReport> {
    looking ??= look(isSure).finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookAgain(isSure: boolean): Promise<void> {
    try {
      const { error, drift } = await lookNow(isSure);
      if (isSure && error === null) logger.info({ runtime: runtime.name, drift: drift.length }, "reconciled");
    } catch (error) {
      logger.error({ err: error }, "a look at the runtime failed");
    }
    if (closing.signal.aborted) return;
    timer = setTimeout(() => void lookAgain(false), deps.intervalMs);
    timer.unref();
  }

  return {
    /** What the last look found; looks when there was none yet. */
    report: (): Promise<DriftReport> => (last.checkedAt === null ? lookNow(false) : Promise.resolve(last)),

    /**
     * Looks now and puts right at once what it finds, instead of waiting for a second look to confirm it.
     * A look that is under way saw things before this was asked for, and may not be as sure.
     */
    async reconcile(): Promise<DriftReport> {
      await looking?.catch(() => undefined);
      return closing.signal.aborted ? last : await lookNow(true);
    },

    /** Looks at once, puts right what it finds, and looks again and again until closed. */
    start: (): void => void lookAgain(true),

    /** A look that takes long is left to itself: it changes nothing any more. */
    async close(): Promise<void> {
      closing.abort();
      clearTimeout(timer);
      const ended = looking?.catch(() => undefined);
      const grace = new AbortController();
      await Promise.race([ended?.then(() => grace.abort()), sleep(CLOSE_MS, grace.signal)]);
      grace.abort();
    },
  };
}

/** Page by page. */
async function* ownProjects(db: Database, runtime: Runtime): AsyncGenerator<ProjectRecord> {
  let after: { createdAt: string; id: string } | undefined;
  for (;;) {
    const page = listProjects(db, { limit: PAGE, ...(after ? { after } : {}) });
    yield* page.filter((project) => project.runtime === runtime.name);
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    after = { createdAt: last.createdAt, id: last.id };
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

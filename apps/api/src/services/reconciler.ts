import type { DriftEntry, DriftReport } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import type { Logger } from "../http/logger.ts";
import { ApiError } from "../http/problem.ts";
import { getActiveOperation, latestOperation } from "../models/operation.ts";
import { getProjectById, listProjects, type ProjectRecord } from "../models/project.ts";
import { RuntimeError, type ObservedSandbox, type Runtime } from "../runtimes/runtime.ts";
import { backoffMs, type RetryPolicy, sleep } from "./backoff.ts";
import { findDrift, mayPass, type Finding } from "./drift.ts";
import type { Accepted, ProjectManager } from "./project-manager.ts";

export interface ReconcilerDeps {
  db: Database;
  runtime: Runtime;
  projects: Pick<ProjectManager, "start" | "stop" | "remove">;
  logger: Logger;
  /** Between two looks. */
  intervalMs: number;
  /** How failed projects whose trouble may pass are tried again. */
  retry: Pick<RetryPolicy, "firstDelayMs" | "delayMsMax">;
  now: () => Date;
}

export type Reconciler = ReturnType<typeof createReconciler>;

/** A look does not wait longer for what it removes. */
const SWEEP_MS = 30_000;

type Outcome = Pick<DriftEntry, "action" | "operationId">;
const nothingDone: Outcome = { action: "none", operationId: null };

/**
 * Compares what runs with what is recorded, again and again, puts right what it can and reports the
 * rest. What no record explains is never touched.
 */
export function createReconciler(deps: ReconcilerDeps) {
  const { db, runtime, projects, logger } = deps;
  let last: DriftReport = { runtime: runtime.name, checkedAt: null, error: null, drift: [] };
  let looking: Promise<DriftReport> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  /** Found adrift by the last look: a state may also have been seen in passing. */
  let suspects: ReadonlySet<string> = new Set();
  const tries = new Map<string, { count: number; at: number }>();
  /** Begun by a look and not at their end yet. */
  const sweeping = new Map<string, Promise<void>>();
  let unknown = "";

  async function look(isSure: boolean): Promise<DriftReport> {
    const checkedAt = deps.now().toISOString();
    try {
      const observed = new Map((await runtime.list()).map((sandbox) => [sandbox.projectId, sandbox]));
      const drift = [...(await lookAtProjects(observed, isSure)), ...(await lookAtStrays(observed))];
      last = { runtime: runtime.name, checkedAt, error: null, drift };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      logger.warn({ err: error, runtime: runtime.name }, "the runtime could not be looked at");
      last = { runtime: runtime.name, checkedAt, error: error.message, drift: [] };
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
      if (closed) break;
      if (getActiveOperation(db, project.id)) continue;
      const sandbox = observed.get(project.id);
      const finding = findDrift(project, sandbox);
      if (finding?.kind !== "failed") tries.delete(project.id);
      if (finding === null) continue;
      adrift.add(project.id);
      const entry = await putRight(project, finding, sandbox, isSure || suspects.has(project.id));
      if (entry !== null) drift.push(entry);
    }
    suspects = adrift;
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
      if (!isSure) return { ...entry, action: "watching", operationId: null };
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
    const project = getProjectById(db, id);
    const finding = project && !getActiveOperation(db, id) ? findDrift(project, sandbox) : null;
    if (finding?.kind === "not_running") return repairing(await projects.start(id));
    if (finding?.kind === "not_stopped") return repairing(await projects.stop(id));
    return null;
  }

  function repairing({ project, operation }: Accepted): Outcome {
    logger.info({ projectId: project.id, operationId: operation?.id }, "a sandbox is brought in line with its record");
    return { action: "repairing", operationId: operation?.id ?? null };
  }

  async function retry(project: ProjectRecord): Promise<Outcome> {
    if (!mayPass(project)) return nothingDone;
    const now = deps.now().getTime();
    const { count, at } = tries.get(project.id) ?? { count: 0, at: now };
    if (now < at) return { action: "waiting", operationId: null };
    tries.set(project.id, { count: count + 1, at: now + backoffMs(count + 1, deps.retry) });
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
    for (const { projectId, state } of observed.values()) {
      if (closed || getProjectById(db, projectId)) continue;
      tries.delete(projectId);
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
      const isDone = await Promise.race([work.then(() => true), sleep(SWEEP_MS, grace.signal).then(() => false)]);
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

  function schedule(): void {
    if (closed) return;
    timer = setTimeout(() => {
      lookNow(false)
        .catch((error: unknown) => logger.error({ err: error }, "a look at the runtime failed"))
        .finally(schedule);
    }, deps.intervalMs);
    timer.unref();
  }

  return {
    /** What the last look found; looks when there was none yet. */
    report: (): Promise<DriftReport> => (last.checkedAt === null ? lookNow(false) : Promise.resolve(last)),

    /** Looks now and puts right at once what it finds, instead of waiting for a second look to confirm it. */
    reconcile: (): Promise<DriftReport> => lookNow(true),

    /** Looks again and again until closed. */
    start: schedule,

    async close(): Promise<void> {
      closed = true;
      clearTimeout(timer);
      await looking?.catch(() => undefined);
    },
  };
}

/** Page by page, so that requests are answered between. */
async function* ownProjects(db: Database, runtime: Runtime): AsyncGenerator<ProjectRecord> {
  let after: { createdAt: string; id: string } | undefined;
  for (;;) {
    const page = listProjects(db, { limit: 200, ...(after ? { after } : {}) });
    yield* page.filter((project) => project.runtime === runtime.name);
    const last = page.at(-1);
    if (page.length < 200 || !last) return;
    after = { createdAt: last.createdAt, id: last.id };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import type { Database } from "bun:sqlite";
import type { Logger } from "../http/logger.ts";
import { getActiveOperation, latestOperation } from "../models/operation.ts";
import { getProjectById, listProjects, type ProjectRecord } from "../models/project.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { OperationRunner } from "./operation-runner.ts";
import type { ProjectManager } from "./project-manager.ts";

export interface ReconcilerDeps {
  db: Database;
  runtime: Runtime;
  runner: OperationRunner;
  projects: Pick<ProjectManager, "start" | "stop">;
  logger: Logger;
}

/** What a look at the runtime led to; ids of projects. */
export interface Reconciliation {
  resumed: number;
  started: string[];
  stopped: string[];
  swept: string[];
  /** Things of this installation that no record explains; they are left alone, as they may hold data. */
  unknown: string[];
}

/** Brings what runs in line with what is recorded; run at the start of the control plane. */
export async function reconcile(deps: ReconcilerDeps): Promise<Reconciliation> {
  const { db, runtime, runner, logger } = deps;
  const result: Reconciliation = { resumed: runner.resume(), started: [], stopped: [], swept: [], unknown: [] };
  /** One that cannot be looked after must not keep the others from it. */
  async function each(projectId: string, look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      logger.warn({ err: error, projectId }, "a project could not be reconciled");
    }
  }

  for (const { id } of restingProjects(db, runtime)) {
    await each(id, async () => {
      const { state } = await runtime.inspect(id);
      const up = state === "running" || state === "restarting";
      // Requests are answered meanwhile: what counts is what is asked for now.
      const project = getProjectById(db, id);
      if (!project || getActiveOperation(db, id)) return;
      if (project.desiredState === "running" && project.status === "running" && !up) {
        await deps.projects.start(id);
        result.started.push(id);
      } else if (project.desiredState === "stopped" && project.status === "stopped" && up) {
        await deps.projects.stop(id);
        result.stopped.push(id);
      }
    });
  }
  for (const projectId of await runtime.list()) {
    if (getProjectById(db, projectId)) continue;
    const last = latestOperation(db, projectId);
    // Only a recorded, finished delete proves that nobody wants it: after an older backup was
    // restored, an unknown sandbox may well be somebody's work.
    if (last?.kind !== "delete" || last.status !== "succeeded") {
      result.unknown.push(projectId);
      continue;
    }
    await each(projectId, async () => {
      await runtime.sweep(projectId);
      result.swept.push(projectId);
    });
  }
  if (result.unknown.length > 0)
    logger.warn(
      { projectIds: result.unknown },
      "the runtime holds sandboxes that the database does not know; they were left alone",
    );
  return result;
}

function* restingProjects(db: Database, runtime: Runtime): Generator<ProjectRecord> {
  let after: { createdAt: string; id: string } | undefined;
  for (;;) {
    const page = listProjects(db, { limit: 200, ...(after ? { after } : {}) });
    yield* page.filter((project) => project.runtime === runtime.name);
    const last = page.at(-1);
    if (page.length < 200 || !last) return;
    after = { createdAt: last.createdAt, id: last.id };
  }
}

import type { Operation, ProjectEventType, ProjectStatus } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { deleteSteps } from "../models/operation-step.ts";
import { getOperation, updateOperation } from "../models/operation.ts";
import { deleteProject, updateProject, type ProjectRecord } from "../models/project.ts";
import type { EventLog } from "./event-log.ts";

export interface Failure {
  code: string;
  /** For the user; free of secrets. */
  message: string;
  step: string | null;
}

interface Deps {
  db: Database;
  events: EventLog;
}

/** The operation, the project's state and the event change together or not at all; a cancelled one has its end already. */
function commit({ db, events }: Deps, { id }: Operation, change: () => void): void {
  db.transaction(() => {
    if (getOperation(db, id)?.status === "running") change();
  }).immediate();
  events.wake();
}

/** Does nothing when it was cancelled meanwhile; so does `concludeFailure`. */
export function concludeSuccess(deps: Deps, operation: Operation, project: ProjectRecord): void {
  const { db, events } = deps;
  const done = (status: ProjectStatus, type: ProjectEventType, data: Record<string, unknown> = {}) => {
    updateProject(db, project.id, { status, statusReason: null });
    events.record({ projectId: project.id, operationId: operation.id, type, data });
  };
  commit(deps, operation, () => {
    updateOperation(db, operation.id, { status: "succeeded", finishedAt: new Date().toISOString(), error: null });
    switch (operation.kind) {
      case "delete":
        deleteProject(db, project.id);
        deleteSteps(db, project.id);
        events.record({ projectId: project.id, operationId: operation.id, type: "deleted" });
        break;
      case "stop":
        done("stopped", "stopped");
        break;
      default: {
        const { fqdnUrl, gatewayUrl, codeServerUrl, vncUrl } = project;
        done("running", "ready", { fqdnUrl, gatewayUrl, codeServerUrl, vncUrl });
      }
    }
  });
}

export function concludeFailure(deps: Deps, operation: Operation, { code, message, step }: Failure): void {
  const { db, events } = deps;
  commit(deps, operation, () => {
    updateOperation(db, operation.id, {
      status: "failed",
      step,
      finishedAt: new Date().toISOString(),
      error: { code, message },
    });
    updateProject(db, operation.projectId, { status: "error", statusReason: { code, message } });
    events.record({
      projectId: operation.projectId,
      operationId: operation.id,
      type: "failed",
      data: { code, message, step },
    });
  });
}

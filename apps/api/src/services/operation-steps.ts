import type { Operation } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { beginStep, endStep } from "../models/operation-step.ts";
import { updateOperation } from "../models/operation.ts";
import { RuntimeError, type StepContext } from "../runtimes/runtime.ts";
import { failureName, type OperationObserver } from "./operation-observer.ts";
import type { BoundStep } from "./operation-plan.ts";

export interface StepRunnerDeps {
  db: Database;
  /** Called before each step; tests stop the process here. */
  beforeStep?: ((operation: Operation, step: string) => Promise<void> | void) | undefined;
  observer?: OperationObserver | undefined;
}

/** Runs steps in order, each recorded before and after. */
export function createStepRunner({ db, beforeStep, observer }: StepRunnerDeps) {
  async function runOne(operation: Operation, step: BoundStep, context: StepContext): Promise<void> {
    const { id: operationId, projectId, attempt, kind } = operation;
    const { position } = db
      .transaction(() => {
        updateOperation(db, operationId, { step: step.name });
        return beginStep(db, { operationId, attempt, name: step.name });
      })
      .immediate();
    await beforeStep?.(operation, step.name);
    const startedAt = performance.now();
    const tell = (outcome: string) =>
      observer?.stepFinished({
        operationId,
        projectId,
        kind,
        step: step.name,
        outcome,
        ms: performance.now() - startedAt,
      });
    try {
      await step.run(context);
    } catch (error) {
      // A run that was told to stop is cut off, not failed.
      if (context.signal.aborted) {
        tell("aborted");
        throw error;
      }
      tell(failureName(error));
      const errorCode = error instanceof RuntimeError ? error.failure : "internal";
      endStep(db, { operationId, position, outcome: "failed", errorCode });
      throw error;
    }
    tell("ok");
    endStep(db, { operationId, position, outcome: "succeeded", errorCode: null });
  }

  return async (operation: Operation, steps: readonly BoundStep[], context: StepContext): Promise<void> => {
    for (const step of steps) {
      context.signal.throwIfAborted();
      await runOne(operation, step, context);
    }
    updateOperation(db, operation.id, { step: "conclude" });
    await beforeStep?.(operation, "conclude");
  };
}

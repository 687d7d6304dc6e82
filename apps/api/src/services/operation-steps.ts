import type { Operation } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { beginStep, endStep } from "../models/operation-step.ts";
import { updateOperation } from "../models/operation.ts";
import { RuntimeError, type StepContext } from "../runtimes/runtime.ts";
import type { BoundStep } from "./operation-plan.ts";

export interface StepRunnerDeps {
  db: Database;
  /** Called before each step; tests stop the process here. */
  beforeStep?: ((operation: Operation, step: string) => Promise<void> | void) | undefined;
  /** Called after each step; `ms` is how long it took. */
  stepFinished?:
    | ((step: { kind: Operation["kind"]; step: string; outcome: StepOutcome; ms: number }) => void)
    | undefined;
}

export type StepOutcome = "succeeded" | "failed";

/** Runs steps in order, each recorded before and after. */
export function createStepRunner({ db, beforeStep, stepFinished }: StepRunnerDeps) {
  async function runOne(operation: Operation, step: BoundStep, context: StepContext): Promise<void> {
    const { id: operationId, attempt, kind } = operation;
    const { position } = db
      .transaction(() => {
        updateOperation(db, operationId, { step: step.name });
        return beginStep(db, { operationId, attempt, name: step.name });
      })
      .immediate();
    await beforeStep?.(operation, step.name);
    const startedAt = performance.now();
    const end = (outcome: StepOutcome, errorCode: string | null) => {
      endStep(db, { operationId, position, outcome, errorCode });
      stepFinished?.({ kind, step: step.name, outcome, ms: performance.now() - startedAt });
    };
    try {
      await step.run(context);
    } catch (error) {
      // A run that was told to stop is cut off, not failed.
      if (!context.signal.aborted) end("failed", error instanceof RuntimeError ? error.failure : "internal");
      throw error;
    }
    end("succeeded", null);
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

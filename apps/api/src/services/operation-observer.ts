import type { OperationKind } from "@agentpod/types";
import type { Logger } from "../http/logger.ts";
import { RuntimeError } from "../runtimes/runtime.ts";
import type { OperationMetrics } from "./metrics/operations.ts";

export interface ObservedOperation {
  operationId: string;
  projectId: string;
  kind: OperationKind;
}

/** `parked`: it stays recorded and goes on at the next start; `cancelled`: its project was deleted meanwhile. */
export type OperationOutcome = "succeeded" | "failed" | "parked" | "cancelled";

/**
 * Is told what operations do, to count and log it. It never throws. Names (`step`, `call`, `outcome`, `code`)
 * must come from closed lists, as they become labels: never from what a user or an upstream wrote. A step or
 * call that did what it should has the outcome `ok`, another what `failureName` says.
 */
export interface OperationObserver {
  operationStarted: (operation: ObservedOperation & { attempt: number }) => void;
  stepFinished: (run: ObservedOperation & { step: string; outcome: string; ms: number }) => void;
  /** `code` says why one failed; null otherwise. `ms` is how long this process worked on it. */
  operationFinished: (end: ObservedOperation & { outcome: OperationOutcome; code: string | null; ms: number }) => void;
  runtimeCall: (call: { runtime: string; call: string; outcome: string; ms: number }) => void;
}

/** What kept a step or call from its end, as a label: a RuntimeError's failure, `aborted`, or `error`. */
export function failureName(error: unknown): string {
  if (error instanceof RuntimeError) return error.failure;
  return error instanceof Error && error.name === "AbortError" ? "aborted" : "error";
}

export function createOperationObserver({
  metrics,
  logger,
}: {
  metrics: OperationMetrics;
  logger: Logger;
}): OperationObserver {
  return {
    operationStarted: ({ operationId, projectId, kind, attempt }) =>
      logger.info({ operationId, projectId, kind, attempt }, "operation started"),

    stepFinished({ operationId, projectId, kind, step, outcome, ms }) {
      metrics.step(kind, step, outcome, ms);
      logger.debug({ operationId, projectId, kind, step, outcome, ms: Math.round(ms) }, "operation step ended");
    },

    operationFinished({ operationId, projectId, kind, outcome, code, ms }) {
      metrics.operation(kind, outcome, ms);
      const line = { operationId, projectId, kind, outcome, ...(code === null ? {} : { code }), ms: Math.round(ms) };
      if (outcome === "failed") logger.warn(line, "operation ended");
      else logger.info(line, "operation ended");
    },

    runtimeCall({ runtime, call, outcome, ms }) {
      metrics.call(runtime, call, outcome, ms);
    },
  };
}

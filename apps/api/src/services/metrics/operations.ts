import type { OperationKind } from "@agentpod/types";
import type { Family } from "./exposition.ts";
import { createHistogram } from "./histogram.ts";

export type OperationMetrics = ReturnType<typeof createOperationMetrics>;

const STEP_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];
const CALL_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** How long operations, their steps and the runtime's calls took, and how they ended. */
export function createOperationMetrics() {
  const operations = createHistogram({
    name: "agentpod_operation_duration_seconds",
    help: "Time an operation was worked on by this process, by how that ended",
    labels: ["kind", "outcome"],
    bounds: STEP_BOUNDS,
  });
  const steps = createHistogram({
    name: "agentpod_operation_step_duration_seconds",
    help: "Time a run of an operation's step took, by how it ended",
    labels: ["kind", "step", "outcome"],
    bounds: STEP_BOUNDS,
  });
  const calls = createHistogram({
    name: "agentpod_runtime_call_duration_seconds",
    help: "Time a call of the runtime took, by how it ended",
    labels: ["runtime", "call", "outcome"],
    bounds: CALL_BOUNDS,
  });
  return {
    operation: (kind: OperationKind, outcome: string, ms: number) => operations.of({ kind, outcome }).observe(ms),
    step: (kind: OperationKind, step: string, outcome: string, ms: number) =>
      steps.of({ kind, step, outcome }).observe(ms),
    call: (runtime: string, call: string, outcome: string, ms: number) =>
      calls.of({ runtime, call, outcome }).observe(ms),

    *families(): Generator<Family> {
      yield operations.family();
      yield steps.family();
      yield calls.family();
    },
  };
}

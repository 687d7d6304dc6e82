import type { OperationKind } from "@agentpod/types";
import {
  RuntimeError,
  type ObservedSandbox,
  type Runtime,
  type SandboxRef,
  type SandboxSpec,
  type Step,
  type StepContext,
} from "../runtimes/runtime.ts";

/** A step with what it works on. */
export interface BoundStep {
  name: string;
  run: (context: StepContext) => Promise<void>;
}

function bind<Target extends SandboxRef>(steps: readonly Step<Target>[], target: Target): BoundStep[] {
  return steps.map(({ name, run }) => ({ name, run: (context) => run(target, context) }));
}

export interface PlanInput {
  kind: OperationKind;
  runtime: Runtime;
  observed: ObservedSandbox;
  generation: number;
  /** Asked for only where it is needed: stopping and deleting must work without. */
  spec: () => SandboxSpec;
}

/**
 * The steps that bring an operation's end about, given what the runtime shows now. Chosen anew each
 * time an operation (re)starts, so a resumed one fits what an earlier run left behind.
 */
export function planSteps({ kind, runtime, observed, generation, spec }: PlanInput): readonly BoundStep[] {
  const { deploy, start, stop, remove } = runtime.steps;
  const ref: SandboxRef = { projectId: observed.projectId };
  const current = observed.state !== "absent" && observed.generation === generation;
  switch (kind) {
    case "create":
    case "update":
    case "deploy":
      return bind(deploy, spec());
    case "start":
      return bind(current ? start : deploy, spec());
    case "restart":
      return current ? [...bind(stop, ref), ...bind(start, spec())] : bind(deploy, spec());
    case "stop":
      return observed.state === "absent" ? [] : bind(stop, ref);
    case "delete":
      return bind(remove, ref);
  }
}

/** Whether another try without any change may succeed. */
export function isTransient(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && (error.failure === "unavailable" || error.failure === "timeout");
}

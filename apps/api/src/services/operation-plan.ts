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
  projectId: string;
  inspect: () => Promise<ObservedSandbox>;
  generation: number;
  /** Asked for only where it is needed: stopping and deleting must work without. */
  spec: () => SandboxSpec;
}

/**
 * The steps that bring an operation's end about, given what the runtime shows now. Chosen anew each
 * time an operation (re)starts, so a resumed one fits what an earlier run left behind.
 */
export async function planSteps({
  kind,
  runtime,
  projectId,
  inspect,
  generation,
  spec,
}: PlanInput): Promise<readonly BoundStep[]> {
  const { deploy, start, stop, remove } = runtime.steps;
  const ref: SandboxRef = { projectId };
  const isCurrent = (observed: ObservedSandbox) => observed.state !== "absent" && observed.generation === generation;
  switch (kind) {
    case "create":
    case "update":
    case "deploy":
      return bind(deploy, spec());
    case "start":
      return bind(isCurrent(await inspect()) ? start : deploy, spec());
    case "restart":
      return isCurrent(await inspect()) ? [...bind(stop, ref), ...bind(start, spec())] : bind(deploy, spec());
    case "stop":
      return (await inspect()).state === "absent" ? [] : bind(stop, ref);
    case "delete":
      return bind(remove, ref);
  }
}

/** Whether a failure may leave something behind that ends and starts again for ever. */
export function leavesRuins(kind: OperationKind, error: unknown): boolean {
  if (kind === "stop" || kind === "delete") return false;
  return error instanceof RuntimeError && (error.failure === "sandbox_exited" || error.failure === "not_healthy");
}

/** Whether another try without any change may succeed. */
export function isTransient(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && (error.failure === "unavailable" || error.failure === "timeout");
}

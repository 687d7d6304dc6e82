import type { ObservedSandbox, Runtime, SandboxRef, Step } from "../../src/runtimes/runtime.ts";

export interface StandInRuntime extends Runtime {
  /** What `probe` finds. */
  reachable: boolean;
}

/** A runtime whose sandboxes are entries of a map, for tests of what stands above it. */
export function createStandInRuntime(capabilities: Partial<Runtime["capabilities"]> = {}): StandInRuntime {
  const sandboxes = new Map<string, ObservedSandbox>();
  const step = (name: string, change: (projectId: string) => void): Step<SandboxRef> => ({
    name,
    run: async ({ projectId }) => change(projectId),
  });
  const run = (projectId: string): void => {
    const startedAt = new Date().toISOString();
    sandboxes.set(projectId, { projectId, state: "running", generation: 1, startedAt, exitCode: null });
  };
  const absent = (projectId: string): ObservedSandbox => ({
    projectId,
    state: "absent",
    generation: null,
    startedAt: null,
    exitCode: null,
  });
  return {
    name: "docker",
    reachable: true,
    capabilities: {
      gpu: false,
      volumes: true,
      addons: true,
      limits: true,
      isolation: true,
      hostPorts: true,
      cpusMax: null,
      memoryBytesMax: null,
      ...capabilities,
    },
    steps: {
      deploy: [step("run", run)],
      start: [step("run", run)],
      stop: [step("stop", (projectId) => sandboxes.set(projectId, { ...absent(projectId), state: "exited" }))],
      remove: [step("remove", (projectId) => sandboxes.delete(projectId))],
      abandon: [],
    },
    async probe() {
      return this.reachable ? { ok: true, version: "stand-in" } : { ok: false, message: "out of reach" };
    },
    inspect: async (projectId) => sandboxes.get(projectId) ?? absent(projectId),
    list: async () => [...sandboxes.values()],
    sweep: async (projectId) => void sandboxes.delete(projectId),
    async *logs() {
      yield { stream: "stdout", timestamp: null, message: "hello" };
    },
    close: async () => sandboxes.clear(),
  };
}

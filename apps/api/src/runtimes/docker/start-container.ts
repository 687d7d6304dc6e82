import { RuntimeError, type RuntimeFailure, type SandboxSpec, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { statusOf } from "./engine-error.ts";
import { findSandbox } from "./find-container.ts";
import type { DockerContext } from "./options.ts";
import { secretsOf } from "../redact.ts";
import { removeContainer } from "./remove-container.ts";

const START_TIMEOUT_MS = 120_000;
/** It can never start as it was made: its port is taken, or its network is gone. */
const STALE: ReadonlySet<string> = new Set<RuntimeFailure>(["port_conflict", "not_found"]);
const PORT_TAKEN = /port is already allocated|address already in use|ports are not available/i;

/** Starts the container unless it runs. One whose ports are taken is removed, as it can have no others. */
export function createStartStep(context: DockerContext): Step {
  return {
    name: "start",
    run: async (spec, { report, signal }) => {
      const found = await findSandbox(context, spec.projectId, signal);
      if (found === null) throw new RuntimeError("not_found", "the sandbox is gone; deploy the project again");
      const container = context.docker.getContainer(found.Id);
      if (found.State.Paused) await callEngine("resuming the sandbox", () => container.unpause(), { signal });
      if (found.State.Running && !found.State.Restarting) return;
      report("starting");
      const secrets = secretsOf(spec);
      if (found.HostConfig.RestartPolicy?.Name !== "no") {
        await callEngine("preparing the start", () => container.update({ RestartPolicy: { Name: "no" } }), { signal });
      }
      const start = async (abortSignal: AbortSignal) => {
        try {
          await container.start({ abortSignal });
        } catch (error) {
          throw error instanceof Error && statusOf(error) !== null && PORT_TAKEN.test(error.message)
            ? portConflict(spec, error.message)
            : error;
        }
      };
      try {
        await callEngine("starting the sandbox", start, {
          signal,
          timeoutMs: START_TIMEOUT_MS,
          secrets,
          otherwise: { 304: "already running" },
        });
      } catch (error) {
        const isStale = error instanceof RuntimeError && STALE.has(error.failure);
        if (isStale) await removeContainer(context, spec.projectId, signal);
        throw error;
      }
    },
  };
}

function portConflict({ ports }: SandboxSpec, message: string): RuntimeError {
  const taken = ports.find(({ hostPort }) => message.includes(`:${hostPort}`));
  return new RuntimeError(
    "port_conflict",
    taken
      ? `port ${taken.hostPort} of this host, meant for ${taken.name}, is taken`
      : "a port of the sandbox is taken on this host",
  );
}

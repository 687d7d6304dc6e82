import { awaitGateway } from "../await-gateway.ts";
import { hostPortOf, RuntimeError, type SandboxSpec, type Step } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { checkSource } from "./check-source.ts";
import { SOURCE_TIMEOUT_SECONDS } from "../sandbox-variables.ts";
import { describeExit } from "./describe-exit.ts";
import { findSandbox } from "./find-container.ts";
import type { DockerContext } from "./options.ts";
import { secretsOf } from "../redact.ts";
import { removeContainer } from "./remove-container.ts";
import { stopContainer } from "./stop-container.ts";

const KEPT_RUNNING = "unless-stopped";

/** Waits for the sandbox's own gateway; from then on the engine keeps the sandbox running. */
export function createHealthyStep(context: DockerContext): Step {
  return {
    name: "healthy",
    run: async (spec, { report, signal }) => {
      try {
        await awaitItsGateway(context, spec, signal);
        await settle(context, spec, signal);
      } catch (error) {
        const failure = error instanceof RuntimeError ? error.failure : null;
        // Its ports are part of a container: with others it is another one.
        if (failure === "port_conflict") await removeContainer(context, spec.projectId, signal);
        // The next start fetches the source again.
        if (failure === "source_clone_failed") await stopContainer(context, spec.projectId, signal);
        throw error;
      }
      report("healthy");
    },
  };
}

async function awaitItsGateway(context: DockerContext, spec: SandboxSpec, signal: AbortSignal): Promise<void> {
  const { projectId, gatewayToken, ports, sourceUrl } = spec;
  const gateway = ports.find(({ name }) => name === "gateway");
  if (!gateway) throw new RuntimeError("rejected", "the sandbox has no port for its gateway");
  const alive = async () => {
    const found = await findSandbox(context, projectId, signal);
    if (found === null) return "the sandbox was removed while it started";
    return found.State.Running ? null : describeExit(context.docker, found, secretsOf(spec));
  };
  await awaitGateway({
    baseUrl: `http://127.0.0.1:${hostPortOf(gateway)}`,
    token: gatewayToken,
    projectId,
    // The source comes before the gateway.
    timeoutMs: context.healthTimeoutMs + (sourceUrl === null ? 0 : SOURCE_TIMEOUT_SECONDS * 1000),
    signal,
    alive,
  });
}

async function settle(context: DockerContext, spec: SandboxSpec, signal: AbortSignal): Promise<void> {
  const found = await findSandbox(context, spec.projectId, signal);
  if (found === null) throw new RuntimeError("not_found", "the sandbox was removed while it started");
  if (found.HostConfig.RestartPolicy?.Name === KEPT_RUNNING) return;
  if (spec.sourceUrl !== null) await checkSource(context.docker, found, spec, signal);
  const container = context.docker.getContainer(found.Id);
  const keep = () => container.update({ RestartPolicy: { Name: KEPT_RUNNING } });
  await callEngine("settling the sandbox", keep, { signal });
}

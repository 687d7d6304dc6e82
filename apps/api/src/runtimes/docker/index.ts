import { RuntimeError, type Runtime } from "../runtime.ts";
import { createHealthyStep } from "./await-healthy.ts";
import { callEngine } from "./call-engine.ts";
import { capabilitiesOf, readEngineFacts } from "./engine-facts.ts";
import { createContainerStep } from "./ensure-container.ts";
import { createImageStep } from "./ensure-image.ts";
import { createNetworkStep } from "./ensure-network.ts";
import { createVolumeStep } from "./ensure-volume.ts";
import { NETWORK_NAME } from "./names.ts";
import { inspectSandbox, listSandboxes } from "./observe.ts";
import type { DockerContext, DockerRuntimeOptions } from "./options.ts";
import { readLogs } from "./read-logs.ts";
import { removeContainer } from "./remove-container.ts";
import { removeVolume } from "./remove-volume.ts";
import { createStartStep } from "./start-container.ts";
import { stopContainer } from "./stop-container.ts";

export { createScriptBuilder, missingBuildFile } from "./build-image.ts";
export { connectDocker } from "./connect.ts";
export { createImageInspector } from "./image-inspector.ts";
export type { DockerRuntimeOptions } from "./options.ts";

const PROBE_TIMEOUT_MS = 5_000;

/**
 * Sandboxes as containers of one Docker engine on this host: a container and a volume for each project,
 * ports on loopback, all on one network on which they do not see each other. The disk size of a tier is
 * not enforced: engines cannot limit a volume.
 * @throws RuntimeError `unavailable` when no usable engine answers
 */
export async function createDockerRuntime(options: DockerRuntimeOptions): Promise<Runtime> {
  const { docker } = options;
  const context: DockerContext = { ...options, facts: await readEngineFacts(docker) };
  const start = [createStartStep(context), createHealthyStep(context)];
  const closed = new AbortController();

  async function probe(): ReturnType<Runtime["probe"]> {
    try {
      const ask = () => docker.version();
      const { Version } = await callEngine("asking the Docker engine", ask, { timeoutMs: PROBE_TIMEOUT_MS });
      return { ok: true, version: Version };
    } catch (error) {
      return {
        ok: false,
        message: error instanceof RuntimeError ? error.message : "the Docker engine cannot be asked",
      };
    }
  }

  return {
    name: "docker",
    capabilities: capabilitiesOf(context.facts),
    steps: {
      deploy: [
        createImageStep(context),
        createNetworkStep(docker, NETWORK_NAME),
        createVolumeStep(context),
        createContainerStep(context),
        ...start,
      ],
      start,
      stop: [
        {
          name: "stop",
          run: async ({ projectId }, { report, signal }) => {
            report("stopping");
            await stopContainer(context, projectId, signal);
          },
        },
      ],
      remove: [
        { name: "container", run: ({ projectId }, { signal }) => removeContainer(context, projectId, signal) },
        { name: "volume", run: ({ projectId }, { signal }) => removeVolume(context, projectId, signal) },
      ],
      abandon: [{ name: "abandon", run: ({ projectId }, { signal }) => stopContainer(context, projectId, signal) }],
    },
    probe,
    inspect: (projectId) => inspectSandbox(context, projectId),
    list: () => listSandboxes(context),
    sweep: async (projectId) => {
      await removeContainer(context, projectId);
      await removeVolume(context, projectId);
    },
    logs: (projectId, logOptions) =>
      readLogs(context, projectId, { ...logOptions, signal: AbortSignal.any([logOptions.signal, closed.signal]) }),
    close: async () => closed.abort(),
  };
}

import { RuntimeError, type Runtime } from "../runtime.ts";
import { createDeploymentStep } from "./await-deployment.ts";
import { createHealthyStep } from "./await-healthy.ts";
import { checkCoolify } from "./check-coolify.ts";
import { ask } from "./coolify-error.ts";
import { createApplicationStep } from "./ensure-application.ts";
import { createEnvironmentStep } from "./ensure-environment.ts";
import { createStorageStep } from "./ensure-storage.ts";
import { createMarkStep } from "./mark-configured.ts";
import { inspectSandbox, listSandboxes } from "./observe.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { readLogs } from "./read-logs.ts";
import { removeApplications } from "./remove-application.ts";
import { createStartStep, type Triggered } from "./start-application.ts";
import { stopApplication, stopUnlessHealthy } from "./stop-application.ts";

export type { ApplicationRecords, CoolifyRuntimeOptions } from "./options.ts";

const PROBE_TIMEOUT_MS = 5_000;
/** As long as the API may wait for Coolify before it serves. */
const CHECK_TIMEOUT_MS = 10_000;

/**
 * Sandboxes as applications of a Coolify: one application with one volume for each project, found again
 * by a marker in its description. The disk size of a tier is not enforced: Coolify cannot limit a volume.
 * One that does not answer now is no reason to fail: its projects wait for it.
 * @throws RuntimeError `rejected` when Coolify, or what the options name in it, cannot be used as it is
 */
export async function createCoolifyRuntime(options: CoolifyRuntimeOptions): Promise<Runtime> {
  await checkUnlessAway(options);
  const triggered: Triggered = new Map();
  const closed = new AbortController();
  const untilUp = [createDeploymentStep(options, triggered), createHealthyStep(options)];

  async function probe(): ReturnType<Runtime["probe"]> {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    try {
      await ask("asking Coolify", () => options.client.health({ signal }));
      return { ok: true, version: await ask("asking Coolify", () => options.client.version({ signal })) };
    } catch (error) {
      if (signal.aborted) return { ok: false, message: `Coolify does not answer within ${PROBE_TIMEOUT_MS} ms` };
      return { ok: false, message: error instanceof RuntimeError ? error.message : "Coolify cannot be asked" };
    }
  }

  return {
    name: "coolify",
    capabilities: {
      gpu: options.gpu,
      volumes: true,
      addons: true,
      limits: true,
      isolation: true,
      // Its proxy routes to the services.
      hostPorts: false,
      cpusMax: null,
      memoryBytesMax: null,
    },
    steps: {
      deploy: [
        createApplicationStep(options),
        createEnvironmentStep(options),
        createStorageStep(options),
        createMarkStep(options),
        createStartStep(options, triggered, true),
        ...untilUp,
      ],
      start: [createStartStep(options, triggered, false), ...untilUp],
      stop: [
        {
          name: "stop",
          run: async ({ projectId }, { report, signal }) => {
            report("stopping");
            await stopApplication(options, projectId, signal);
          },
        },
      ],
      remove: [
        { name: "application", run: ({ projectId }, { signal }) => removeApplications(options, projectId, signal) },
      ],
      abandon: [{ name: "abandon", run: ({ projectId }, { signal }) => stopUnlessHealthy(options, projectId, signal) }],
    },
    probe,
    inspect: (projectId) => inspectSandbox(options, projectId),
    list: () => listSandboxes(options),
    sweep: (projectId) => removeApplications(options, projectId),
    logs: (projectId, logOptions) =>
      readLogs(options, projectId, { ...logOptions, signal: AbortSignal.any([logOptions.signal, closed.signal]) }),
    close: async () => closed.abort(),
  };
}

async function checkUnlessAway(options: CoolifyRuntimeOptions): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    await checkCoolify(options, signal);
  } catch (error) {
    const isAway = error instanceof RuntimeError && (error.failure === "unavailable" || error.failure === "timeout");
    if (!isAway && !signal.aborted) throw error;
    options.logger.warn({ err: error }, "Coolify could not be checked; whatever needs it is tried again");
  }
}

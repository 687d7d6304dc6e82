import { deploymentFailure, type Deployment } from "@agentpod/coolify";
import { secretsOf } from "../redact.ts";
import { RuntimeError, type Report, type SandboxSpec, type Step } from "../runtime.ts";
import { SOURCE_TIMEOUT_SECONDS } from "../sandbox-variables.ts";
import { cancelDeployments } from "./cancel-deployments.ts";
import { ask } from "./coolify-error.ts";
import { failedDeployment } from "./deployment-error.ts";
import { ensureDeployment } from "./ensure-deployment.ts";
import { requireApplication } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { poll } from "./poll.ts";
import type { Triggered } from "./start-application.ts";

/** Waits for the end of the deployment. One that does not come to an end is cancelled. */
export function createDeploymentStep(context: CoolifyRuntimeOptions, triggered: Triggered): Step {
  const { pollMs, deployTimeoutMs } = context;

  return {
    name: "deployment",
    run: async (spec, { report, signal }) => {
      const deploymentUuid = triggered.get(spec.projectId) ?? (await resumed(context, spec, signal));
      triggered.delete(spec.projectId);
      if (deploymentUuid === null) return;
      // Coolify waits for the gateway, and the source comes before that.
      const timeoutMs = deployTimeoutMs + (spec.sourceUrl === null ? 0 : SOURCE_TIMEOUT_SECONDS * 1000);
      const look = createLook(context, deploymentUuid, report, signal);
      try {
        conclude(await poll(look, { pollMs, timeoutMs, signal, waitingFor: "Coolify to deploy the sandbox" }), spec);
      } catch (error) {
        // A shutdown leaves it going: the next run finds it.
        const isOver = error instanceof RuntimeError && error.failure === "timeout" && !signal.aborted;
        if (isOver) {
          const app = await requireApplication(context, spec.projectId, signal);
          await cancelDeployments(context, app.uuid, signal);
        }
        throw error;
      }
    },
  };
}

/** After the process was gone in between: what is on its way, or was not begun. */
async function resumed(
  context: CoolifyRuntimeOptions,
  { projectId }: SandboxSpec,
  signal: AbortSignal,
): Promise<string | null> {
  const app = await requireApplication(context, projectId, signal);
  const deployment = await ensureDeployment(context, app, { acceptFinished: true, signal });
  return deployment?.deployment_uuid ?? null;
}

/** Looks for the end, and reports each state on the way once, also that of work that was over before it was seen. */
function createLook({ client }: CoolifyRuntimeOptions, deploymentUuid: string, report: Report, signal: AbortSignal) {
  let last: string | undefined;
  const seen = (status: "queued" | "in_progress") => {
    if (status !== last) report(status === "queued" ? "queued" : "deploying", { deploymentUuid, status });
    last = status;
  };
  return async (): Promise<Deployment | undefined> => {
    const look = () => client.getDeployment(deploymentUuid, { signal });
    const deployment = await ask("looking at the deployment", look);
    const { status } = deployment;
    if (status === "finished") seen("in_progress");
    if (status !== "queued" && status !== "in_progress") return deployment;
    seen(status);
    return undefined;
  };
}

function conclude(deployment: Deployment, spec: SandboxSpec): void {
  switch (deployment.status) {
    case "failed":
      throw failedDeployment(deploymentFailure(deployment), { spec, secrets: secretsOf(spec) });
    case "cancelled-by-user":
      throw new RuntimeError("rejected", "the deployment was cancelled in Coolify; start the project again");
    default:
  }
}

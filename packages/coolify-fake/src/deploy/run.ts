import type { Deployment } from "../state.ts";
import { isReachable, type World } from "../world.ts";
import { becomesRunning, newContainer, settledStatus, waitsForHealth } from "./container.ts";
import { failureLog, successLog } from "./log.ts";
import { whyItFails } from "./why-it-fails.ts";

type End = (status: "finished" | "failed") => void;

/** When in a deployment the new container is first seen, still without a result of its health check. */
const SEEN_AFTER = 0.7;

/**
 * A worker's job for one deployment. The container gets what is configured now, so that a change made while
 * it runs is not in it. A failed one leaves what ran before as it was.
 */
export function runDeployment(world: World, deployment: Deployment, end: End): void {
  const { timers, faults, options, ids } = world;
  const { application, cause } = deployment;
  if (faults.take("stuck_deployment", cause)) return;
  deployment.jobId = [8, 4, 4, 4, 12].map((length) => ids.hex(length)).join("-");
  const later = (ms: number, act: () => void) => void deployment.callOffs.push(timers.after(ms, act));
  let shown = false;
  const fail = (reason: string) => {
    deployment.logs = failureLog(application, deployment, reason);
    deployment.processId = String(ids.next("process"));
    if (shown) application.status = settledStatus(application);
    end("failed");
  };
  const isAway = faults.take("server_unreachable", cause) !== undefined || !isReachable(world);
  if (isAway) return later(options.deploymentMs / 4, () => fail("Server is not functional."));
  const reason = faults.take("failed_deployment", cause) ? "Rolling update failed: a fault" : whyItFails(application);
  if (reason !== null) return later(options.deploymentMs, () => fail(`Rolling update failed: ${reason}`));
  const fate = { crash: faults.take("crash_after_finished", cause), flicker: faults.take("unhealthy_flicker", cause) };
  const container = newContainer(world, application, deployment.uuid);
  if (waitsForHealth(application)) {
    later(options.deploymentMs * SEEN_AFTER, () => {
      shown = true;
      application.status = "running:unhealthy";
    });
  }
  later(options.deploymentMs, () => {
    if (!isReachable(world)) return fail("Server is not functional.");
    deployment.logs = successLog(application, deployment, container);
    deployment.processId = String(ids.next("process"));
    deployment.configurationHash = ids.hex(64);
    application.columns.config_hash = deployment.configurationHash;
    becomesRunning(world, application, container, fate);
    end("finished");
  });
}

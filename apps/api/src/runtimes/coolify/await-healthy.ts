import { RuntimeError, type Step } from "../runtime.ts";
import { requireApplication } from "./find-application.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { poll } from "./poll.ts";
import { readStatus } from "./status.ts";

/** What Coolify shows is from a moment ago: for so long it may show a sandbox as down that has just come up. */
const DOWN_MS_MAX = 30_000;

/** Waits until Coolify shows the sandbox as healthy, which its gateway has to be for that. */
export function createHealthyStep(context: CoolifyRuntimeOptions): Step {
  const { pollMs, healthTimeoutMs } = context;

  return {
    name: "healthy",
    run: async ({ projectId }, { report, signal }) => {
      report("starting");
      const startedAt = performance.now();
      let downSince: number | null = null;
      const look = async () => {
        const { status } = await requireApplication(context, projectId, signal);
        const { state, health } = readStatus(status);
        if (state === "running" && health === "healthy") return true;
        const now = performance.now();
        downSince = state === "running" || state === "starting" ? null : (downSince ?? now);
        const isOver = now - startedAt >= healthTimeoutMs;
        if (downSince !== null && (isOver || now - downSince >= DOWN_MS_MAX)) throw ended(status);
        if (isOver) throw notHealthy(status, healthTimeoutMs);
        return undefined;
      };
      // The look itself knows better when it is over.
      const timeoutMs = 2 * healthTimeoutMs + pollMs;
      await poll(look, { pollMs, timeoutMs, signal, waitingFor: "the sandbox to be healthy" });
      report("healthy");
    },
  };
}

function ended(status: string): RuntimeError {
  const message = `the sandbox ended after it was deployed (Coolify shows ${status}); its logs in Coolify may say why`;
  return new RuntimeError("sandbox_exited", message);
}

function notHealthy(status: string, timeoutMs: number): RuntimeError {
  const seconds = Math.round(timeoutMs / 1000);
  return new RuntimeError("not_healthy", `the gateway was not healthy within ${seconds} s (Coolify shows ${status})`);
}

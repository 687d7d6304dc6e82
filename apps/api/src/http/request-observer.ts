import { methodLabel, type RequestMetrics, type RouteLabel } from "../services/metrics/requests.ts";
import type { Logger } from "./logger.ts";
import type { ApiEnv } from "./router.ts";

/** Is told of each answer; `startedAt` is when `performance.now()` its request came, undefined for one not timed. */
export type RequestObserver = (
  env: ApiEnv["Bindings"],
  route: RouteLabel,
  method: string,
  status: number,
  startedAt: number | undefined,
) => void;

/** Counts each answer, and logs those worth it: with the route's pattern, never with what was sent. */
export function createRequestObserver({
  requests,
  logger,
}: {
  requests: Pick<RequestMetrics, "observe">;
  logger: Logger;
}): RequestObserver {
  const logsReads = logger.isLevelEnabled("debug");
  return ({ requestId, principal }, route, method, status, startedAt) => {
    const ms = startedAt === undefined ? undefined : performance.now() - startedAt;
    requests.observe(route, method, status, ms);
    const level = levelOf(status, route);
    if (level === "debug" && !logsReads) return;
    logger[level](
      {
        requestId,
        method: methodLabel(method),
        route: route.pattern,
        status,
        ...(ms === undefined ? {} : { ms: Math.round(ms * 10) / 10 }),
        caller: principal.id,
      },
      "request",
    );
  };
}

function levelOf(status: number, { writes }: RouteLabel): "debug" | "info" | "warn" | "error" {
  if (status >= 500) return "error";
  if (status === 401 || status === 403 || status === 429) return "warn";
  return writes ? "info" : "debug";
}

import type { Family } from "./exposition.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export type RequestMetrics = ReturnType<typeof createRequestMetrics>;

/** Counts answers by method, route and status: short closed lists, whatever callers send. */
export function createRequestMetrics() {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();

  return {
    /** @param path of the route, empty when none was found */
    count(method: string, path: string, status: number): void {
      const named = METHODS.has(method) ? method : "other";
      const key = `${named} ${path} ${status}`;
      const known = counts.get(key);
      if (known) known.value += 1;
      else counts.set(key, { labels: { method: named, route: path || "none", status: String(status) }, value: 1 });
    },

    family: (): Family => ({
      name: "acp_gateway_requests_total",
      help: "Requests answered, by route and status",
      type: "counter",
      samples: counts.values(),
    }),
  };
}

import { createDurations } from "./durations.ts";
import type { Family } from "./exposition.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Tally = {
  labels: { method: string; route: string };
  answers: Map<number, number>;
  durations: ReturnType<typeof createDurations>;
};

export type RequestMetrics = ReturnType<typeof createRequestMetrics>;

/** Counts and times answers by method, route and status: short closed lists, whatever callers send. */
export function createRequestMetrics() {
  const tallies = new Map<string, Tally>();

  function tallyOf(method: string, route: string): Tally {
    const key = `${method} ${route}`;
    let tally = tallies.get(key);
    if (tally === undefined) {
      tally = { labels: { method, route }, answers: new Map(), durations: createDurations(BOUNDS) };
      tallies.set(key, tally);
    }
    return tally;
  }

  return {
    /**
     * @param path of the route, empty when none was found
     * @param ms undefined where the time says nothing about the gateway
     */
    count(method: string, path: string, status: number, ms: number | undefined): void {
      const { answers, durations } = tallyOf(METHODS.has(method) ? method : "other", path || "none");
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (ms !== undefined) durations.observe(ms / 1000);
    },

    families: (): Family[] => [
      {
        name: "acp_gateway_requests_total",
        help: "Requests answered, by route and status",
        type: "counter",
        samples: [...tallies.values()].flatMap(({ labels, answers }) =>
          Array.from(answers, ([status, value]) => ({ labels: { ...labels, status: String(status) }, value })),
        ),
      },
      {
        name: "acp_gateway_request_duration_seconds",
        help: "Time until an answer was ready, of a stream until it began, by route; without WebSockets and requests that ask to wait",
        type: "histogram",
        samples: [...tallies.values()].flatMap(({ labels, durations }) => durations.samples(labels)),
      },
    ],
  };
}

import type { Family } from "./exposition.ts";
import { createHistogram, type Durations } from "./histogram.ts";

/** A route of the API, as requests are counted and logged by. One object for each. */
export interface RouteLabel {
  /** As in the OpenAPI document, such as `/api/projects/{id}`: never what was really asked for. */
  pattern: string;
  /** Whether it changes anything. */
  writes: boolean;
}

export type RequestMetrics = ReturnType<typeof createRequestMetrics>;

const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100];
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The method itself when it is one of HTTP's usual, so that a caller cannot make up labels. */
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : "other");

interface Tally {
  answered: number;
  durations: Durations;
}

/** Counts answers and how long each took until its headers were ready. */
export function createRequestMetrics() {
  const histogram = createHistogram({
    name: "agentpod_http_request_duration_seconds",
    help: "Time until an answer began; of short ones that need no routing each 16th is timed",
    labels: ["method", "route", "status"],
    bounds: BOUNDS,
  });
  const tallies = new Map<Durations, { labels: Record<string, string>; tally: Tally }>();
  // Looking up by route, then by method and status, makes no text: this runs for each request.
  const byRoute = new Map<RouteLabel, Map<string, (Tally | undefined)[]>>();

  function tallyOf(labels: { method: string; route: string; status: string }): Tally {
    const durations = histogram.of(labels);
    // Two labels may stand for the same route: its shortcut's and its own.
    let known = tallies.get(durations);
    if (known === undefined) tallies.set(durations, (known = { labels, tally: { answered: 0, durations } }));
    return known.tally;
  }

  function find(route: RouteLabel, sent: string, statusClass: number): Tally {
    let byMethod = byRoute.get(route);
    if (byMethod === undefined) byRoute.set(route, (byMethod = new Map()));
    const method = methodLabel(sent);
    let byStatus = byMethod.get(method);
    if (byStatus === undefined) byMethod.set(method, (byStatus = []));
    return (byStatus[statusClass] ??= tallyOf({ method, route: route.pattern, status: `${statusClass}xx` }));
  }

  return {
    /** @param ms undefined for an answer that was not timed */
    observe(route: RouteLabel, method: string, status: number, ms: number | undefined): void {
      const statusClass = Math.trunc(status / 100);
      const tally = byRoute.get(route)?.get(method)?.[statusClass] ?? find(route, method, statusClass);
      tally.answered += 1;
      if (ms !== undefined) tally.durations.observe(ms);
    },

    *families(): Generator<Family> {
      const samples = [...tallies.values()].map(({ labels, tally }) => ({ labels, value: tally.answered }));
      yield { name: "agentpod_http_requests", help: "Requests that were answered", type: "counter", samples };
      yield histogram.family();
    },
  };
}

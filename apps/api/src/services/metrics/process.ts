import type { Family } from "./exposition.ts";
import { createHistogram } from "./histogram.ts";

const LAG_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * Memory, processor time and how late timers run, which is what a request waits before it is looked at.
 * @param sampleMs how often a timer's lateness is measured
 */
export function createProcessMetrics({ sampleMs = 500 }: { sampleMs?: number } = {}) {
  const startedAt = Date.now() / 1000 - process.uptime();
  const histogram = createHistogram({
    name: "agentpod_event_loop_lag_seconds",
    help: "How late a timer ran",
    labels: [],
    bounds: LAG_BOUNDS,
  });
  const lag = histogram.of({});
  let due = performance.now() + sampleMs;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - due));
    due = now + sampleMs;
  }, sampleMs);
  timer.unref();

  return {
    close: () => clearInterval(timer),

    *families(): Generator<Family> {
      const { rss, heapUsed, heapTotal } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      yield gauge("process_resident_memory_bytes", "Memory of the process", rss);
      yield gauge("process_start_time_seconds", "When the process began, as seconds since 1970", startedAt);
      yield {
        name: "process_cpu_seconds",
        help: "Processor time spent",
        type: "counter",
        samples: [{ labels: {}, value: (user + system) / 1e6 }],
      };
      yield gauge("agentpod_heap_used_bytes", "JavaScript heap in use", heapUsed);
      yield gauge("agentpod_heap_total_bytes", "JavaScript heap reserved", heapTotal);
      yield histogram.family();
    },
  };
}

/** A gauge without labels. */
export function gauge(name: string, help: string, value: number): Family {
  return { name, help, type: "gauge", samples: [{ labels: {}, value }] };
}

import type { Family } from "./exposition.ts";

/** What a stream of server-sent events tells; `agent`: what a gateway tells, over WebSockets as well. */
export type StreamKind = "events" | "project_events" | "logs" | "agent";

export type StreamMetrics = ReturnType<typeof createStreamMetrics>;

/** Counts the readers of streams. */
export function createStreamMetrics() {
  const readers: Record<StreamKind, number> = { events: 0, project_events: 0, logs: 0, agent: 0 };
  return {
    /** One reader more; call what it returns once the reader is gone. */
    opened(kind: StreamKind): () => void {
      readers[kind] += 1;
      return () => {
        readers[kind] -= 1;
      };
    },

    *families(): Generator<Family> {
      const samples = Object.entries(readers).map(([stream, value]) => ({ labels: { stream }, value }));
      yield { name: "agentpod_sse_clients", help: "Clients that read a stream now", type: "gauge", samples };
    },
  };
}

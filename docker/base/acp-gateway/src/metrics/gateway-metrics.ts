import type { Activity, AgentManager, SessionManager } from "../types.ts";
import { sessionStatus } from "../wire/index.ts";
import { byLabel, type Family, gauge } from "./exposition.ts";

const PAGE = 200;

type MetricsDeps = {
  counted: readonly (() => Iterable<Family>)[];
  agents: AgentManager;
  sessions: SessionManager;
  activity: () => Activity;
  log: { stats(): { bytes: number; stagedBytes: number } };
  /** Cursors over events that clients read now, by the way they came. */
  readers: () => { rest: number; acp: number };
  sockets: { count(): number };
  app: { inFlight(): number };
  startedAt: Date;
};

/** All metrics as they stand now. */
export function createGatewayMetrics(deps: MetricsDeps): () => Family[] {
  const { counted, agents, sessions, activity, log, readers, sockets, app, startedAt } = deps;

  function sessionsByStatus(): Record<string, number> {
    const counts = Object.fromEntries(sessionStatus.options.map((status) => [status, 0]));
    let cursor: string | null = null;
    do {
      const page = sessions.list(cursor === null ? { limit: PAGE } : { limit: PAGE, cursor });
      for (const { status } of page.sessions) counts[status] = (counts[status] ?? 0) + 1;
      cursor = page.nextCursor;
    } while (cursor !== null);
    return counts;
  }

  return () => {
    const now = activity();
    const stored = log.stats();
    const running = agents.running();
    return [
      ...counted.flatMap((families) => [...families()]),
      {
        name: "acp_gateway_agent_counts_total",
        help: "What agents did, such as lines that were no JSON and restarts",
        type: "counter",
        samples: byLabel("what", agents.counters()),
      },
      {
        name: "acp_gateway_sessions",
        help: "Sessions by status",
        type: "gauge",
        samples: byLabel("status", sessionsByStatus()),
      },
      gauge("acp_gateway_prompts_queued", "Prompts that wait for their turn", now.promptsQueued),
      gauge("acp_gateway_permissions_pending", "Requests for permission that wait", now.permissionsPending),
      gauge("acp_gateway_elicitations_pending", "Questions of agents that wait", now.elicitationsPending),
      gauge("acp_gateway_agents_running", "Processes of agents", running.length),
      gauge(
        "acp_gateway_agents_resident_bytes",
        "Memory of all agents",
        running.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), 0),
      ),
      gauge("acp_gateway_terminals_open", "Terminals that are open", now.terminalsOpen),
      {
        name: "acp_gateway_readers",
        help: "Readers of events, each of one session or of all, by way: streams of rest, sessions followed over acp",
        type: "gauge",
        samples: byLabel("kind", readers()),
      },
      gauge("acp_gateway_sockets", "WebSockets that are open", sockets.count()),
      gauge("acp_gateway_requests_in_flight", "Requests that are being answered", app.inFlight()),
      gauge("acp_gateway_log_bytes", "What the events take on disk", stored.bytes),
      gauge("acp_gateway_log_staged_bytes", "Events that are not yet committed", stored.stagedBytes),
      gauge("acp_gateway_log_last_seq", "Seq of the last event", now.lastSeq),
      ...residentMemory(),
      gauge("process_start_time_seconds", "When the gateway was started", startedAt.getTime() / 1000),
    ];
  };
}

/** The system tells it by a file, which cannot be opened when too many are. */
function residentMemory(): Family[] {
  try {
    return [gauge("process_resident_memory_bytes", "Memory of the gateway", process.memoryUsage.rss())];
  } catch {
    return [];
  }
}

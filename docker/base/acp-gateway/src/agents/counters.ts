/** What agents did since the gateway started, over all processes. Only ever rising. */
export type AgentCounters = {
  updates: number;
  /** Lines on stdout that are no JSON-RPC; they are dropped. */
  noiseLines: number;
  /** JSON-RPC that cannot be valid: batches, wrong ids, answers nobody waits for. */
  malformedMessages: number;
  /** Messages of sessions nobody has opened, beyond what is kept for them. */
  droppedMessages: number;
  processesStarted: number;
  startsFailed: number;
  /** Ends nobody asked for. */
  crashes: number;
};

export function createCounters(): AgentCounters {
  return {
    updates: 0,
    noiseLines: 0,
    malformedMessages: 0,
    droppedMessages: 0,
    processesStarted: 0,
    startsFailed: 0,
    crashes: 0,
  };
}

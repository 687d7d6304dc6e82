import type { EventLog, StagedEvent } from "../types.ts";
import { GATEWAY_EVENT_TYPES } from "../wire/index.ts";
import type { Family } from "./exposition.ts";

/**
 * Counts what goes into the log: the gateway's own events by type, an agent's updates as one. A list
 * that agents cannot make longer.
 */
export function countEvents<Log extends EventLog>(log: Log) {
  const own = new Map<string, { labels: { type: string }; value: number }>(
    GATEWAY_EVENT_TYPES.map((type) => [type, { labels: { type }, value: 0 }]),
  );
  const updates = { labels: { type: "update" }, value: 0 };
  const stage = log.stage.bind(log);

  return {
    log: {
      ...log,
      stage: (event: StagedEvent, assigned?: (seq: number) => void) => {
        (own.get(event.type) ?? updates).value += 1;
        stage(event, assigned);
      },
    },

    families(): Family[] {
      const count = (type: string) => own.get(type)?.value ?? 0;
      const outcomes = ["finished", "failed", "cancelled", "interrupted"];
      return [
        {
          name: "acp_gateway_prompts_total",
          help: "Prompts that ended, by how",
          type: "counter",
          samples: outcomes.map((outcome) => ({ labels: { outcome }, value: count(`prompt_${outcome}`) })),
        },
        {
          name: "acp_gateway_permissions_total",
          help: "Requests for permission, asked and resolved",
          type: "counter",
          samples: ["requested", "resolved"].map((state) => ({
            labels: { state },
            value: count(`permission_${state}`),
          })),
        },
        {
          name: "acp_gateway_events_total",
          help: "Events of the log by type; all updates of agents are one",
          type: "counter",
          samples: [...own.values(), updates],
        },
      ];
    },
  };
}

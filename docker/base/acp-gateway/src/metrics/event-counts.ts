import type { EventLog, StagedEvent } from "../types.ts";
import { GATEWAY_EVENT_TYPES } from "../wire/index.ts";
import type { Family } from "./exposition.ts";
import { createPromptTimes, OUTCOMES } from "./prompt-times.ts";

/**
 * Counts what goes into the log: the gateway's own events by type, an agent's updates as one. A list
 * that agents cannot make longer. What it sees of prompts times them.
 */
export function countEvents<Log extends EventLog>(log: Log) {
  const own = new Map<string, { labels: { type: string }; value: number }>(
    GATEWAY_EVENT_TYPES.map((type) => [type, { labels: { type }, value: 0 }]),
  );
  const updates = { labels: { type: "update" }, value: 0 };
  const times = createPromptTimes(() => performance.now());
  const stage = log.stage.bind(log);

  return {
    log: {
      ...log,
      stage: (event: StagedEvent, assigned?: (seq: number) => void) => {
        const { type, promptId } = event;
        const counted = own.get(type);
        if (counted === undefined) {
          updates.value += 1;
          times.updated(type, promptId);
        } else {
          counted.value += 1;
          if (promptId !== null) times.told(type, promptId);
        }
        stage(event, assigned);
      },
    },

    families(): Family[] {
      const count = (type: string) => own.get(type)?.value ?? 0;
      return [
        {
          name: "acp_gateway_prompts_total",
          help: "Prompts that ended, by how",
          type: "counter",
          samples: OUTCOMES.map((outcome) => ({ labels: { outcome }, value: count(`prompt_${outcome}`) })),
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
        ...times.families(),
      ];
    },
  };
}

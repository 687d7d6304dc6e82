import { createDurations } from "./durations.ts";
import type { Family } from "./exposition.ts";

export const OUTCOMES = ["finished", "failed", "cancelled", "interrupted"] as const;

const WHOLE_BOUNDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const FIRST_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Others, such as the list of an agent's commands, come by themselves. */
const WORK = new Set(["agent_message_chunk", "agent_thought_chunk", "tool_call", "plan"]);

/** Times prompts by the events that go into the log. `now` is in milliseconds and never goes back. */
export function createPromptTimes(now: () => number) {
  const taken = new Map<string, number>();
  /** Turns that have shown nothing yet. */
  const silent = new Map<string, number>();
  const first = createDurations(FIRST_BOUNDS);
  const ends = new Map(
    OUTCOMES.map((outcome) => [`prompt_${outcome}`, { outcome, durations: createDurations(WHOLE_BOUNDS) }]),
  );

  function ended(type: string, promptId: string): void {
    const end = ends.get(type);
    if (end === undefined) return;
    silent.delete(promptId);
    const at = taken.get(promptId);
    // One that an earlier gateway took is not timed: the time between is nobody's.
    if (at === undefined) return;
    taken.delete(promptId);
    end.durations.observe((now() - at) / 1000);
  }

  return {
    /** An event of the gateway's own about a prompt. */
    told(type: string, promptId: string): void {
      if (type === "prompt_queued") taken.set(promptId, now());
      else if (type === "prompt_started") silent.set(promptId, now());
      else ended(type, promptId);
    },

    /** An agent's update. The hot path: one comparison unless some turn has shown nothing yet. */
    updated(type: string, promptId: string | null): void {
      if (silent.size === 0 || promptId === null) return;
      const at = silent.get(promptId);
      if (at === undefined || !WORK.has(type)) return;
      silent.delete(promptId);
      first.observe((now() - at) / 1000);
    },

    families: (): Family[] => [
      {
        name: "acp_gateway_prompt_duration_seconds",
        help: "Time from taking a prompt to its end, waiting in the queue and for people included, by outcome",
        type: "histogram",
        samples: [...ends.values()].flatMap(({ outcome, durations }) => durations.samples({ outcome })),
      },
      {
        name: "acp_gateway_prompt_first_update_seconds",
        help: "Time from the start of a turn, which may have to start the agent, to its first text, thought, tool call or plan",
        type: "histogram",
        samples: first.samples({}),
      },
    ],
  };
}

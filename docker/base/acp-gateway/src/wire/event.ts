import { z } from "zod";
import { jsonObject, sequence, timestamp } from "./json.ts";

/**
 * Events of the gateway itself. Every other type is the `sessionUpdate` of an agent's update, which
 * stands unchanged in `update`.
 */
export const GATEWAY_EVENT_TYPES = [
  "session_created",
  "session_opened",
  "session_updated",
  "session_closed",
  "session_deleted",
  "session_failed",
  "prompt_queued",
  "prompt_started",
  "prompt_finished",
  "prompt_failed",
  "prompt_cancelled",
  "prompt_interrupted",
  "permission_requested",
  "permission_resolved",
  "elicitation_requested",
  "elicitation_resolved",
  "agent_started",
  "agent_exited",
  "agent_restarting",
  "agent_notification",
  "agent_request",
  "gap",
] as const;
export type GatewayEventType = (typeof GATEWAY_EVENT_TYPES)[number];

export const event = z
  .looseObject({
    seq: sequence,
    time: timestamp,
    type: z.string(),
    sessionId: z.string().describe("Empty for an event of no session"),
    promptId: z.string().optional(),
    update: jsonObject.optional(),
    data: jsonObject.optional(),
  })
  .describe(
    "The envelope of every event. `update` for an agent's update, `data` for the gateway's own. A `gap` tells that retention has removed the events from `data.from` to `data.to`",
  );
export type GatewayEvent = z.infer<typeof event>;

export const eventPage = z.object({
  events: z.array(event),
  after: sequence.describe("Give it as `after` for the next page"),
  more: z.boolean().describe("There are more already"),
});

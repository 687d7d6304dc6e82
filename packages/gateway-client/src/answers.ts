import { jsonObject } from "@agentpod/acp-gateway/wire";
import { z } from "zod";

/** `GET /v1/info`. */
export const gatewayInfo = z.looseObject({
  name: z.literal("acp-gateway"),
  version: z.string(),
  projectId: z.string().nullable(),
  workspace: z.string(),
  flavor: z.string().nullable(),
  addons: z.array(z.string()),
  uptimeSeconds: z.number(),
});

/** `GET /v1/activity`. */
export const activity = z.looseObject({
  idle: z.boolean(),
  sessions: z.int(),
  turnsRunning: z.int(),
  promptsQueued: z.int(),
  permissionsPending: z.int(),
  elicitationsPending: z.int(),
  clientsAttached: z.int(),
  terminalsOpen: z.int(),
  agentsRunning: z.int(),
  lastSeq: z.int(),
  lastEventAt: z.string().nullable(),
});
export type Activity = z.infer<typeof activity>;

/** An entry of `GET /v1/agents`. */
export const agentReport = z.looseObject({
  id: z.string(),
  name: z.string(),
  installed: z.boolean(),
  version: z.string().nullable(),
  command: z.array(z.string()),
  installable: z.object({ package: z.string(), version: z.string() }).nullable(),
  initialized: jsonObject.nullable(),
});

import {
  activity as fullActivity,
  agentReport as fullReport,
  gatewayInfo as fullInfo,
} from "@agentpod/acp-gateway/wire";
import type { z } from "zod";

// Sandboxes live longer than the API that made them: only what every gateway has ever answered is asked for.

/** `GET /v1/info`. */
export const gatewayInfo = fullInfo
  .pick({
    name: true,
    version: true,
    projectId: true,
    workspace: true,
    flavor: true,
    addons: true,
    uptimeSeconds: true,
  })
  .loose();

/** `GET /v1/activity`. */
export const activity = fullActivity.loose();
export type Activity = z.infer<typeof activity>;

/** An entry of `GET /v1/agents`. */
export const agentReport = fullReport
  .pick({ id: true, name: true, installed: true, version: true, command: true, installable: true, initialized: true })
  .loose();

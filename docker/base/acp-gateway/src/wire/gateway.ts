import { z } from "zod";
import { jsonObject, rpcError, sequence, timestamp } from "./json.ts";

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    error: z.string().describe("The same as title, for readers that look for an `error`"),
    requestId: z.string(),
    errors: z
      .array(z.object({ path: z.string(), code: z.string(), message: z.string(), fix: z.string().optional() }))
      .optional()
      .describe("Everything that is wrong with the request"),
    rpc: rpcError.optional().describe("What the agent answered, where it was the agent that refused"),
  })
  .describe("Body of every answer with a status from 400 on (RFC 9457). `code` is one of a closed list");

export const health = z.object({ status: z.literal("ok"), uptimeSeconds: z.number() });

export const readiness = z.object({
  status: z.enum(["ready", "not ready"]),
  checks: z.object({ log: z.enum(["ok", "full", "removed"]), shuttingDown: z.boolean() }),
});

export const gatewayInfo = z.object({
  name: z.literal("acp-gateway"),
  version: z.string(),
  projectId: z.string().nullable(),
  workspace: z.string(),
  bun: z.string(),
  platform: z.object({ os: z.string(), arch: z.string() }),
  image: z.string().nullable(),
  flavor: z.string().nullable(),
  addons: z.array(z.string()),
  uptimeSeconds: z.number(),
  startedAt: timestamp,
});

export const activity = z.object({
  idle: z.boolean(),
  sessions: z.int(),
  turnsRunning: z.int(),
  promptsQueued: z.int(),
  permissionsPending: z.int(),
  elicitationsPending: z.int(),
  clientsAttached: z.int(),
  terminalsOpen: z.int(),
  agentsRunning: z.int(),
  lastSeq: sequence,
  lastEventAt: timestamp.nullable(),
});

export const agentReport = z.object({
  id: z.string(),
  name: z.string(),
  installed: z.boolean().describe("Its program was found"),
  version: z.string().nullable().describe("Null when absent, or when the program tells none"),
  command: z.array(z.string()),
  acceptsEnv: z
    .array(z.string())
    .describe("Names of variables that a session may set as `env`; `*` at one end is anything"),
  installable: z.looseObject({ package: z.string(), version: z.string() }).nullable(),
  quirks: jsonObject.describe("How it differs from others"),
  initialized: jsonObject.nullable().describe("Its last answer to `initialize`; null until it has run here"),
});

export const ticket = z.object({ ticket: z.string(), expiresAt: timestamp });

import { z } from "zod";
import { jsonObject, rpcError, sequence, timestamp } from "./json.ts";

/**
 * starting: its agent is being started. idle: waits for a prompt. running: a turn runs.
 * waiting: a turn waits for a permission or an answer. dormant: no process; the next call opens it
 * again. failed: its agent cannot be started; the next prompt tries again. closed: ended by a caller.
 */
export const sessionStatus = z.enum(["starting", "idle", "running", "waiting", "dormant", "failed", "closed"]);
export type SessionStatus = z.infer<typeof sessionStatus>;

/** One rule of a policy: the first whose conditions all hold decides. */
export const permissionRule = z.strictObject({
  /** Kind of the tool call (read, edit, execute, …); absent: any. */
  kind: z.string().max(64).optional(),
  /** Glob over the paths of the call's locations; all of them must match. Absent: any. */
  path: z.string().max(1024).optional(),
  /** Glob over the call's title. Absent: any. */
  title: z.string().max(1024).optional(),
  decision: z.enum(["allow", "reject", "ask"]),
});

/**
 * What happens to an agent's request for permission. `allow-reads` allows read, search, think and
 * fetch without asking. With `rules`, what no rule decides is asked.
 */
export const permissionPolicy = z.strictObject({
  mode: z.enum(["ask", "allow-reads", "allow-all", "deny", "rules"]),
  rules: z.array(permissionRule).max(100).optional(),
  /** How long a request waits for an answer; 0 waits for ever. */
  timeoutSeconds: z.int().min(0).max(86_400).optional(),
});
export type PermissionPolicy = z.infer<typeof permissionPolicy>;

/** What becomes of a prompt while another runs. */
export const queuePolicy = z.enum(["queue", "reject", "cancel-previous"]);
export type QueuePolicy = z.infer<typeof queuePolicy>;

const nameAndValue = z.object({ name: z.string().min(1).max(1024), value: z.string().max(65_536) });

/** An MCP server as the protocol has it (stdio, http or sse); unknown fields are passed on. */
export const mcpServer = z.union([
  z.looseObject({
    name: z.string().min(1).max(256),
    type: z.enum(["http", "sse"]),
    url: z.url(),
    headers: z.array(nameAndValue).max(100).default([]),
  }),
  z.looseObject({
    name: z.string().min(1).max(256),
    type: z.literal("stdio").optional(),
    command: z.string().min(1).max(4096),
    args: z.array(z.string().max(65_536)).max(256).default([]),
    env: z.array(nameAndValue).max(256).default([]),
  }),
]);
export type McpServer = z.infer<typeof mcpServer>;

const title = z.string().trim().min(1).max(500);

/** Body of `POST /v1/sessions`. */
export const newSession = z.strictObject({
  agent: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
  /** Absolute, or relative to the workspace. Absent: the workspace. */
  cwd: z.string().min(1).max(4096).optional(),
  additionalDirectories: z.array(z.string().min(1).max(4096)).max(32).optional(),
  mcpServers: z.array(mcpServer).max(64).optional(),
  mode: z.string().min(1).max(256).optional(),
  model: z.string().min(1).max(256).optional(),
  /** Values of the agent's config options by their id, set once the session is open. */
  config: z.record(z.string().max(256), z.union([z.string().max(4096), z.boolean()])).optional(),
  /** Variables of the agent's process, of the names its registry entry accepts. */
  env: z.record(z.string().max(256), z.string().max(65_536)).optional(),
  /** Passed to the agent's `authenticate` before the session is made. */
  auth: z.strictObject({ methodId: z.string().min(1).max(256), _meta: jsonObject.optional() }).optional(),
  permissionPolicy: permissionPolicy.optional(),
  queuePolicy: queuePolicy.optional(),
  title: title.optional(),
});
export type NewSession = z.infer<typeof newSession>;

/** Body of `PATCH /v1/sessions/{id}`. */
export const sessionPatch = z.strictObject({
  title: title.nullable().optional(),
  permissionPolicy: permissionPolicy.optional(),
  queuePolicy: queuePolicy.optional(),
});
export type SessionPatch = z.infer<typeof sessionPatch>;

/** A session as every answer shows it. Secrets of `mcpServers` and `env` are never among it. */
export const session = z.object({
  id: z.string(),
  agent: z.string(),
  /** The agent's own id; null until its first `session/new` has answered. */
  agentSessionId: z.string().nullable(),
  cwd: z.string(),
  additionalDirectories: z.array(z.string()),
  mcpServers: z.array(z.object({ name: z.string(), type: z.enum(["stdio", "http", "sse"]) })),
  /** Names only. */
  env: z.array(z.string()),
  title: z.string().nullable(),
  status: sessionStatus,
  /** As the agent gave them: `{ currentModeId, availableModes }`. */
  modes: jsonObject.nullable(),
  configOptions: z.array(jsonObject),
  availableCommands: z.array(jsonObject),
  /** `{ used, size, cost? }` of the last usage_update. */
  usage: jsonObject.nullable(),
  permissionPolicy,
  queuePolicy,
  runningPromptId: z.string().nullable(),
  queuedPrompts: z.int().nonnegative(),
  pendingPermissions: z.int().nonnegative(),
  pendingElicitations: z.int().nonnegative(),
  lastSeq: sequence,
  createdAt: timestamp,
  updatedAt: timestamp,
  /** Why the session is `failed`. */
  error: z.object({ code: z.string(), message: z.string(), rpc: rpcError.optional() }).nullable(),
});
export type Session = z.infer<typeof session>;

export const sessionPage = z.object({ sessions: z.array(session), nextCursor: z.string().nullable() });

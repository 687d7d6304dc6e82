import { z } from "zod";
import { jsonObject, rpcError, sequence, timestamp } from "./json.ts";

export const sessionStatus = z
  .enum(["starting", "idle", "running", "waiting", "dormant", "failed", "closed"])
  .describe(
    "starting: its agent is being started. idle: waits for a prompt. running: a turn runs. waiting: a turn waits for a permission or an answer. dormant: no process; the next call opens it again. failed: its agent cannot be started; the next prompt tries again. closed: ended by a caller",
  );
export type SessionStatus = z.infer<typeof sessionStatus>;

export const permissionRule = z
  .strictObject({
    kind: z
      .string()
      .max(64)
      .optional()
      .describe("Kind of the tool call (read, edit, execute, …; one without is `other`); absent: any"),
    path: z
      .string()
      .max(1024)
      .refine((path) => !/^!?~/.test(path), { error: "give the folder's path: ~ stands for none here" })
      .optional()
      .describe(
        "Glob over the paths of the call's locations, from cwd or absolute: all of them must match to be allowed, one to be rejected or asked. A relative one allows nothing outside of cwd unless it begins with `..`. Absent: any",
      ),
    title: z.string().max(1024).optional().describe("Glob over the call's title. Absent: any"),
    decision: z.enum(["allow", "reject", "ask"]),
  })
  .describe("One rule of a policy: the first whose conditions all hold decides");

export const permissionPolicy = z
  .strictObject({
    mode: z.enum(["ask", "allow-reads", "allow-all", "deny", "rules"]),
    rules: z.array(permissionRule).max(100).optional(),
    timeoutSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe(
        "How long a request waits for an answer before it is rejected; 0 waits for ever. Absent: as the gateway is set, by default a day",
      ),
  })
  .refine(({ mode, rules = [] }) => mode === "rules" || rules.length === 0, {
    error: "only the mode rules looks at them; set mode to rules, or leave them out",
    path: ["rules"],
  })
  .describe(
    "What happens to an agent's request for permission. `allow-reads` allows read, search, think and fetch without asking. With `rules`, what no rule decides is asked",
  );
export type PermissionPolicy = z.infer<typeof permissionPolicy>;

export const queuePolicy = z
  .enum(["queue", "reject", "cancel-previous"])
  .describe("What becomes of a prompt while another runs");
export type QueuePolicy = z.infer<typeof queuePolicy>;

const nameAndValue = z.object({ name: z.string().min(1).max(1024), value: z.string().max(65_536) });

export const mcpServer = z
  .union([
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
  ])
  .describe("An MCP server as the protocol has it (stdio, http or sse); unknown fields are passed on");
export type McpServer = z.infer<typeof mcpServer>;

export const sessionTitle = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine((title) => title.isWellFormed(), { error: "it has half of a character (a lone surrogate); leave that out" });

export const newSession = z
  .strictObject({
    agent: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .describe("Id of an agent of `GET /v1/agents`"),
    cwd: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe("Absolute, or relative to the workspace. Absent: the workspace"),
    additionalDirectories: z
      .array(z.string().min(1).max(4096))
      .max(32)
      .optional()
      .describe("More folders the agent may work in, under the workspace or the other roots"),
    mcpServers: z.array(mcpServer).max(64).optional(),
    mode: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("Id of one of the agent's modes, set once the session is open"),
    model: z.string().min(1).max(256).optional().describe("Value of the agent's config option for models"),
    config: z
      .record(z.string().max(256), z.union([z.string().max(4096), z.boolean()]))
      .optional()
      .describe("Values of the agent's config options by their id, set once the session is open"),
    env: z
      .record(z.string().max(256), z.string().max(65_536))
      .optional()
      .describe("Variables of the agent's process, of the names its registry entry accepts"),
    auth: z
      .strictObject({ methodId: z.string().min(1).max(256), _meta: jsonObject.optional() })
      .optional()
      .describe("Passed to the agent's `authenticate` before the session is made"),
    permissionPolicy: permissionPolicy.optional().describe("Absent: ask"),
    queuePolicy: queuePolicy.optional().describe("Absent: queue"),
    title: sessionTitle.optional(),
  })
  .meta({
    description: "Body of `POST /v1/sessions`",
    examples: [
      { agent: "opencode" },
      { agent: "claude", cwd: "app", mode: "plan", permissionPolicy: { mode: "allow-reads", timeoutSeconds: 600 } },
    ],
  });
export type NewSession = z.infer<typeof newSession>;

export const sessionPatch = z
  .strictObject({
    title: sessionTitle.nullable().optional(),
    permissionPolicy: permissionPolicy.optional(),
    queuePolicy: queuePolicy.optional(),
  })
  .meta({
    description: "Body of `PATCH /v1/sessions/{id}`",
    examples: [{ title: "Login page", queuePolicy: "cancel-previous" }],
  });
export type SessionPatch = z.infer<typeof sessionPatch>;

export const session = z
  .object({
    id: z.string().describe("`ses_…`, over all restarts"),
    agent: z.string(),
    agentSessionId: z
      .string()
      .nullable()
      .describe("The agent's own id; null until its first `session/new` has answered"),
    cwd: z.string(),
    additionalDirectories: z.array(z.string()),
    mcpServers: z.array(z.object({ name: z.string(), type: z.enum(["stdio", "http", "sse"]) })),
    env: z.array(z.string()).describe("Names only"),
    title: z.string().nullable(),
    status: sessionStatus,
    modes: jsonObject.nullable().describe("As the agent gave them: `{ currentModeId, availableModes }`"),
    configOptions: z.array(jsonObject),
    availableCommands: z.array(jsonObject),
    usage: jsonObject.nullable().describe("`{ used, size, cost? }` of the last usage_update"),
    permissionPolicy,
    queuePolicy,
    runningPromptId: z.string().nullable(),
    queuedPrompts: z.int().nonnegative(),
    pendingPermissions: z.int().nonnegative(),
    pendingElicitations: z.int().nonnegative(),
    lastSeq: sequence.describe("Of its newest event"),
    createdAt: timestamp,
    updatedAt: timestamp,
    error: z
      .object({ code: z.string(), message: z.string(), rpc: rpcError.optional() })
      .nullable()
      .describe("Why the session is `failed`"),
  })
  .describe("A session as every answer shows it. Secrets of `mcpServers` and `env` are never among it");
export type Session = z.infer<typeof session>;

export const sessionPage = z.object({ sessions: z.array(session), nextCursor: z.string().nullable() });

import { z } from "zod";
import { visibleName } from "./visible-name.ts";

/** `creating` to `deleting` are on their way; the others rest. */
export const ProjectStatus = z.enum([
  "creating",
  "starting",
  "running",
  "updating",
  "restarting",
  "stopping",
  "stopped",
  "deleting",
  "error",
]);
export type ProjectStatus = z.infer<typeof ProjectStatus>;

export const RuntimeName = z.enum(["coolify", "docker", "process"]);
export type RuntimeName = z.infer<typeof RuntimeName>;

/** A port of the sandbox and where it can be reached from this host. */
export const ProjectPort = z
  .object({
    /** `opencode`, `gateway`, or the id of the addon that serves it. */
    name: z.string(),
    containerPort: z.int(),
    /** Port on 127.0.0.1; null where a proxy routes instead. */
    hostPort: z.int().nullable(),
  })
  .meta({ id: "ProjectPort" });
export type ProjectPort = z.infer<typeof ProjectPort>;

export const Project = z
  .object({
    id: z.string(),
    name: z.string(),
    /** DNS label, unique. */
    slug: z.string(),
    description: z.string().nullable(),
    sourceUrl: z.string().nullable(),
    status: ProjectStatus,
    /** Why the status is `error`; null otherwise. */
    statusReason: z.object({ code: z.string(), message: z.string() }).nullable(),
    /** The runtime that holds the sandbox; null for a project older than runtimes. */
    runtime: RuntimeName.nullable(),
    /** Deprecated: the tier a project was made with before flavors and addons. */
    containerTierId: z.string().nullable(),
    resourceTierId: z.string(),
    flavorId: z.string(),
    addonIds: z.array(z.string()),
    imageRef: z.string().nullable(),
    ports: z.array(ProjectPort),
    /** OpenCode's URL. */
    fqdnUrl: z.string().nullable(),
    /** The ACP gateway's URL. */
    gatewayUrl: z.string().nullable(),
    codeServerUrl: z.string().nullable(),
    vncUrl: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Project" });
export type Project = z.infer<typeof Project>;

const projectDescription = z.string().max(500);
const idList = z.array(z.string().min(1).max(100)).max(50);

/** What a project is made from. Absent ids mean tier `starter`, flavor `fullstack`, addon `code-server`. */
export const CreateProjectInput = z.object({
  name: visibleName,
  description: projectDescription.optional(),
  sourceUrl: z.string().min(1).max(2000).optional(),
  resourceTierId: z.string().min(1).max(100).optional(),
  flavorId: z.string().min(1).max(100).optional(),
  addonIds: idList.optional(),
});
export type CreateProjectInput = z.infer<typeof CreateProjectInput>;

/** Body of `POST /api/projects`: unknown fields are refused, the deprecated tier id is still read. */
export const CreateProjectRequest = z
  .strictObject({ ...CreateProjectInput.shape, containerTierId: z.string().min(1).max(100).optional() })
  .meta({ id: "CreateProjectRequest" });
export type CreateProjectRequest = z.infer<typeof CreateProjectRequest>;

/** Body of `PATCH /api/projects/:id`. A new tier, flavor or addon set redeploys a running sandbox. */
export const UpdateProjectRequest = z
  .strictObject({
    name: visibleName.optional(),
    description: projectDescription.nullable().optional(),
    resourceTierId: z.string().min(1).max(100).optional(),
    flavorId: z.string().min(1).max(100).optional(),
    addonIds: idList.optional(),
    containerTierId: z.string().min(1).max(100).optional(),
  })
  .meta({ id: "UpdateProjectRequest" });
export type UpdateProjectRequest = z.infer<typeof UpdateProjectRequest>;

export const OperationKind = z.enum(["create", "update", "deploy", "start", "stop", "restart", "delete"]);
export type OperationKind = z.infer<typeof OperationKind>;

/** `cancelled`: the project was deleted before it was at its end. */
export const OperationStatus = z.enum(["pending", "running", "succeeded", "failed", "cancelled"]);
export type OperationStatus = z.infer<typeof OperationStatus>;

/** One durable piece of work on a project. */
export const Operation = z
  .object({
    id: z.string(),
    projectId: z.string(),
    kind: OperationKind,
    status: OperationStatus,
    /** The step that runs or ran last. */
    step: z.string().nullable(),
    attempt: z.int(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Operation" });
export type Operation = z.infer<typeof Operation>;

/** One run of one step of an operation. */
export const OperationStep = z
  .object({
    name: z.string(),
    /** Which run of the operation it belongs to; a new one begins with every start of the control plane. */
    attempt: z.int(),
    startedAt: z.iso.datetime(),
    /** Null while it runs, and for ever when it was cut off. */
    finishedAt: z.iso.datetime().nullable(),
    outcome: z.enum(["succeeded", "failed"]).nullable(),
    errorCode: z.string().nullable(),
  })
  .meta({ id: "OperationStep" });
export type OperationStep = z.infer<typeof OperationStep>;

export const ProjectEventType = z.enum([
  "resolved",
  "pulling",
  "building",
  "cloning",
  "created",
  "queued",
  "deploying",
  "starting",
  "healthy",
  "ready",
  "updating",
  "stopping",
  "stopped",
  "deleting",
  "deleted",
  "retrying",
  "failed",
  "cancelled",
]);
export type ProjectEventType = z.infer<typeof ProjectEventType>;

/** One entry of the append-only event log. */
export const ProjectEvent = z
  .object({
    /** Grows by time over all projects; the SSE id. */
    id: z.int(),
    projectId: z.string(),
    operationId: z.string().nullable(),
    type: ProjectEventType,
    /** Such as `{ currentBytes, totalBytes }` for `pulling`. */
    data: z.record(z.string(), z.unknown()),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "ProjectEvent" });
export type ProjectEvent = z.infer<typeof ProjectEvent>;

/** `paused`: frozen by hand where it runs; it keeps its memory and answers nobody. */
export const SandboxState = z.enum(["absent", "created", "running", "restarting", "paused", "exited"]);
export type SandboxState = z.infer<typeof SandboxState>;

/** What goes on in a sandbox's gateway. Idle means that nothing runs, waits or is attached. */
export const AgentActivity = z
  .object({
    idle: z.boolean(),
    sessions: z.int(),
    turnsRunning: z.int(),
    promptsQueued: z.int(),
    permissionsPending: z.int(),
    elicitationsPending: z.int(),
    clientsAttached: z.int(),
    terminalsOpen: z.int(),
    agentsRunning: z.int(),
    /** The newest event's number; 0 before the first. */
    lastSeq: z.int(),
    lastEventAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "AgentActivity" });
export type AgentActivity = z.infer<typeof AgentActivity>;

/** What the runtime shows of a sandbox right now. */
export const ProjectStatusReport = z
  .object({
    status: ProjectStatus,
    statusReason: z.object({ code: z.string(), message: z.string() }).nullable(),
    desiredState: z.enum(["running", "stopped", "deleted"]),
    runtime: z.object({
      name: RuntimeName.nullable(),
      state: SandboxState.nullable(),
      startedAt: z.string().nullable(),
      exitCode: z.int().nullable(),
      /** Set when the runtime could not be asked. */
      error: z.string().nullable(),
    }),
    gateway: z.object({
      /** Null where it was not asked: no sandbox runs, or another host has it. */
      healthy: z.boolean().nullable(),
      /** Null unless it is healthy and of a version that tells. */
      activity: AgentActivity.nullable(),
    }),
    /** The newest one. */
    operation: Operation.extend({ steps: z.array(OperationStep) }).nullable(),
  })
  .meta({ id: "ProjectStatusReport" });
export type ProjectStatusReport = z.infer<typeof ProjectStatusReport>;

/** One line a sandbox wrote. */
export const LogLine = z
  .object({
    stream: z.enum(["stdout", "stderr"]).nullable(),
    /** ISO 8601, UTC; null where the runtime does not record it. */
    timestamp: z.string().nullable(),
    message: z.string(),
  })
  .meta({ id: "LogLine" });
export type LogLine = z.infer<typeof LogLine>;

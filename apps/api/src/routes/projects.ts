import {
  CreateProjectRequest,
  Operation,
  Project,
  ProjectStatus,
  ProjectStatusReport,
  UpdateProjectRequest,
  Warning,
} from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { decodeCursor, encodeCursor } from "../http/cursor.ts";
import { IdempotencyKeyHeader, IdempotencyReplayed, keyedRequest } from "../http/idempotency-key.ts";
import { requireScope } from "../http/principal.ts";
import { bodyProblems, json, jsonBody, problems } from "../http/responses.ts";
import { type ApiEnv, createRouter } from "../http/router.ts";
import { SunsetNotice } from "../http/sunset-notice.ts";
import { WaitApplied, waitSeconds, WaitHeader, type WaitFor } from "../http/wait.ts";
import { wholeNumber } from "../http/whole-number.ts";
import type { Accepted, ProjectManager } from "../services/project-manager.ts";
import type { ProjectReader } from "../services/project-reader.ts";

const tags = ["projects"];
const read = requireScope("projects:read");
const write = requireScope("projects:write");
const ProjectId = z.object({ id: z.string().min(1).max(128).openapi({ description: "Id of the project" }) });
const Changed = z
  .object({ project: Project, operation: Operation.nullable(), warnings: z.array(Warning) })
  .meta({ id: "ProjectChange" });
/** What a change may be sent with. */
const ChangeHeaders = z.object({ ...WaitHeader.shape, ...IdempotencyKeyHeader.shape });
/** What a change's answer may have, by what was sent. */
const ChangedHeaders = z.object({ ...WaitApplied.shape, ...IdempotencyReplayed.shape });
const ConfiguredHeaders = z.object({ ...ChangedHeaders.shape, ...SunsetNotice.partial().shape });
const conflicts = ["operation_in_progress", "runtime_mismatch"] as const;
const headerProblems = ["invalid_request", "idempotency_key_reused"] as const;

const list = createRoute({
  operationId: "listProjects",
  summary: "Projects, newest first",
  tags,
  security: read,
  method: "get",
  path: "/",
  request: {
    query: z.strictObject({
      limit: wholeNumber({ min: 1, max: 200 }).default(50).openapi({ default: 50 }),
      cursor: z.string().max(512).optional().openapi({ description: "nextCursor of the previous page" }),
      status: ProjectStatus.optional(),
      resourceTierId: z.string().max(100).optional(),
      flavorId: z.string().max(100).optional(),
      addonId: z.string().max(100).optional(),
      search: z.string().min(1).max(100).optional().openapi({ description: "Part of the name or slug" }),
    }),
  },
  responses: {
    200: json(z.object({ projects: z.array(Project), nextCursor: z.string().nullable() }), "A page of projects"),
    ...problems("invalid_request"),
  },
});

const create = createRoute({
  operationId: "createProject",
  summary: "Make a project and its sandbox",
  description:
    "Answers at once with status `creating`; the events tell how it goes on. `Prefer: wait=N` waits up to N seconds. With an `Idempotency-Key` it can be sent again until an answer arrives: one project is made.",
  tags,
  security: write,
  method: "post",
  path: "/",
  request: { body: jsonBody(CreateProjectRequest), headers: ChangeHeaders },
  responses: {
    201: {
      ...json(Changed, "The project; Location names it"),
      headers: z.object({ location: z.string(), ...ConfiguredHeaders.shape }),
    },
    ...problems(
      ...bodyProblems,
      "idempotency_key_reused",
      "invalid_configuration",
      "container_tiers_sunset",
      "runtime_unavailable",
    ),
  },
});

const get = createRoute({
  operationId: "getProject",
  summary: "One project",
  tags,
  security: read,
  method: "get",
  path: "/{id}",
  request: { params: ProjectId },
  responses: { 200: json(z.object({ project: Project }), "The project"), ...problems("project_not_found") },
});

const update = createRoute({
  operationId: "updateProject",
  summary: "Change a project; another tier, flavor or addon set redeploys its sandbox",
  tags,
  security: write,
  method: "patch",
  path: "/{id}",
  request: { params: ProjectId, body: jsonBody(UpdateProjectRequest), headers: ChangeHeaders },
  responses: {
    200: { ...json(Changed, "The project as it is now asked for"), headers: ConfiguredHeaders },
    ...problems(
      ...bodyProblems,
      "idempotency_key_reused",
      "invalid_configuration",
      "container_tiers_sunset",
      "project_not_found",
      ...conflicts,
      "conflict",
      "runtime_unavailable",
    ),
  },
});

const remove = createRoute({
  operationId: "deleteProject",
  summary: "Delete a project, its sandbox and all its data",
  tags,
  security: write,
  method: "delete",
  path: "/{id}",
  request: { params: ProjectId, headers: ChangeHeaders },
  responses: {
    202: { ...json(Changed, "The deletion has begun"), headers: ChangedHeaders },
    204: { description: "Deleted, when asked to wait for it", headers: ChangedHeaders },
    ...problems(...headerProblems, "project_not_found", ...conflicts),
  },
});

const status = createRoute({
  operationId: "getProjectStatus",
  summary: "What is asked for and what the runtime shows right now",
  tags,
  security: read,
  method: "get",
  path: "/{id}/status",
  request: { params: ProjectId },
  responses: { 200: json(ProjectStatusReport, "The status"), ...problems("project_not_found") },
});

function verb<Name extends "deploy" | "start" | "stop" | "restart">(name: Name, summary: string) {
  return createRoute({
    operationId: `${name}Project`,
    summary,
    tags,
    security: write,
    method: "post",
    path: `/{id}/${name}`,
    request: { params: ProjectId, headers: ChangeHeaders },
    responses: {
      202: { ...json(Changed, "The operation has begun"), headers: ChangedHeaders },
      ...problems(
        ...headerProblems,
        "project_not_found",
        "invalid_configuration",
        ...conflicts,
        "conflict",
        "runtime_unavailable",
      ),
    },
  });
}

export interface ProjectRouteDeps {
  projects: ProjectManager;
  reader: ProjectReader;
  /** Waits for an operation's end. */
  finished: WaitFor;
}

const legacyField = "containerTierId";

export function projectRoutes({ projects, reader, finished }: ProjectRouteDeps) {
  /** Waits as long as the caller prefers, then answers with how things stand. */
  async function settled(
    c: Context<ApiEnv>,
    { replayed, ...accepted }: Accepted,
    prefer: string | undefined,
  ): Promise<Omit<Accepted, "replayed">> {
    if (replayed) c.header("idempotency-replayed", "true");
    const seconds = waitSeconds(prefer);
    if (seconds === 0) return accepted;
    c.header("preference-applied", `wait=${seconds}`);
    if (accepted.operation === null) return accepted;
    const operation = await finished(
      accepted.operation.id,
      AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(seconds * 1000)]),
    );
    return { ...accepted, operation, project: projects.find(accepted.project.id) ?? accepted.project };
  }

  const router = createRouter();
  router.openapi(list, (c) => {
    const { cursor, limit, ...filters } = c.req.valid("query");
    const page = projects.list({
      ...filters,
      limit: limit + 1,
      ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
    });
    const shown = page.slice(0, limit);
    const last = shown.at(-1);
    return c.json({ projects: shown, nextCursor: page.length > limit && last ? encodeCursor(last) : null }, 200);
  });
  router.openapi({ ...create, legacyField, findMore: projects.findViolations }, async (c) => {
    const request = c.req.valid("json");
    const made = await projects.create(request, keyedRequest(c, 201, request));
    const accepted = await settled(c, made, c.req.valid("header").prefer);
    return c.json(accepted, 201, { location: `/api/projects/${accepted.project.id}` });
  });
  router.openapi(get, (c) => c.json({ project: projects.get(c.req.valid("param").id) }, 200));
  router.openapi({ ...update, legacyField, findMore: projects.findGone }, async (c) => {
    const request = c.req.valid("json");
    const accepted = await projects.update(c.req.valid("param").id, request, keyedRequest(c, 200, request));
    return c.json(await settled(c, accepted, c.req.valid("header").prefer), 200);
  });
  router.openapi(remove, async (c) => {
    const begun = await projects.remove(c.req.valid("param").id, keyedRequest(c, 202));
    const accepted = await settled(c, begun, c.req.valid("header").prefer);
    return accepted.operation?.status === "succeeded" ? c.body(null, 204) : c.json(accepted, 202);
  });
  router.openapi(status, async (c) => c.json(await reader.status(c.req.valid("param").id), 200));
  for (const [name, summary] of [
    ["deploy", "Make the sandbox anew from the project's configuration; its data stays"],
    ["start", "Start the sandbox"],
    ["stop", "Stop the sandbox; its data stays"],
    ["restart", "Stop and start the sandbox"],
  ] as const) {
    router.openapi(verb(name, summary), async (c) => {
      const accepted = await projects[name](c.req.valid("param").id, keyedRequest(c, 202));
      return c.json(await settled(c, accepted, c.req.valid("header").prefer), 202);
    });
  }
  return router;
}

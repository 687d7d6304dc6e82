import { LogLine, ProjectEvent } from "@agentpod/types";
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { requireScope } from "../http/principal.ts";
import { json, problems } from "../http/responses.ts";
import { createRouter, type ApiEnv } from "../http/router.ts";
import { encodeFrames, sseResponse, type SseFrame, textResponse } from "../http/sse.ts";
import { wholeNumber } from "../http/whole-number.ts";
import type { EventLog } from "../services/event-log.ts";
import type { LogEntry } from "../services/event-pages.ts";
import type { StreamKind, StreamMetrics } from "../services/metrics/streams.ts";
import type { ProjectManager } from "../services/project-manager.ts";
import type { ProjectReader } from "../services/project-reader.ts";

/** So long the reader of a sandbox that says nothing waits for the answer's headers. */
const FOLLOWER_WAITS_MS = 1_000;

const read = requireScope("projects:read");
const ProjectId = z.object({ id: z.string().min(1).max(128) });
const Cursor = {
  query: z.strictObject({
    after: wholeNumber()
      .optional()
      .openapi({ description: "Id of the last event already seen; Last-Event-ID wins over it" }),
  }),
  headers: z.object({
    "last-event-id": z
      .string()
      .regex(/^\d{1,15}$/, "must be the id of an event")
      .optional(),
  }),
};
const stream = (description: string) => ({ description, content: { "text/event-stream": { schema: z.string() } } });

const logs = createRoute({
  operationId: "getProjectLogs",
  summary: "What the sandbox wrote",
  description:
    "`follow=true` keeps the answer open: server-sent events when accepted, else lines of plain text, which begin with an empty one while the sandbox is quiet. Without it JSON, or plain text when accepted.",
  tags: ["projects"],
  security: read,
  method: "get",
  path: "/{id}/logs",
  request: {
    params: ProjectId,
    query: z.strictObject({
      tail: wholeNumber({ max: 10_000 }).default(200).openapi({ default: 200 }),
      follow: z.enum(["true", "false"]).default("false"),
    }),
    headers: z.object({ accept: z.string().optional() }),
  },
  responses: {
    200: {
      description: "The lines, oldest first",
      content: {
        ...json(z.object({ lines: z.array(LogLine) }), "").content,
        "text/plain": { schema: z.string() },
        "text/event-stream": { schema: z.string() },
      },
    },
    ...problems("invalid_request", "project_not_found", "not_running", "runtime_unavailable"),
  },
});

const projectEvents = createRoute({
  operationId: "streamProjectEvents",
  summary: "What happens to one project, from its first event on",
  tags: ["events"],
  security: read,
  method: "get",
  path: "/{id}/events",
  request: { params: ProjectId, ...Cursor },
  responses: {
    200: stream("Each event's data is a ProjectEvent; `gap` says which ids are no longer kept"),
    ...problems("invalid_request", "project_not_found"),
  },
});

const allEvents = createRoute({
  operationId: "streamEvents",
  summary: "What happens to all projects, from now on or after a given event",
  tags: ["events"],
  security: read,
  method: "get",
  path: "/",
  request: Cursor,
  responses: {
    200: stream(`Each event's data is a ${ProjectEvent.meta()?.id}; \`gap\` says which ids are no longer kept`),
    ...problems("invalid_request"),
  },
});

export interface StreamDeps {
  projects: ProjectManager;
  reader: ProjectReader;
  events: EventLog;
  /** Is told of each reader, and that it is gone. */
  readers: Pick<StreamMetrics, "opened">;
}

/** Bun closes a connection on which nothing was sent for a while, which a quiet stream must survive. */
function keepOpen(c: Context<ApiEnv>): void {
  // The router runs a GET for HEAD, which has nothing to be kept open for.
  if (c.req.raw.method !== "HEAD") c.env.server?.timeout(c.req.raw, 0);
}

/** What all readers of an array of entries are sent. */
const encoded = new WeakMap<readonly LogEntry[], Uint8Array>();

async function* toBytes(
  turns: AsyncIterable<readonly LogEntry[]>,
  opened: () => () => void,
): AsyncGenerator<Uint8Array> {
  const gone = opened();
  try {
    for await (const entries of turns) {
      let bytes = encoded.get(entries);
      if (bytes === undefined) encoded.set(entries, (bytes = encodeFrames(entries.map(toFrame))));
      yield bytes;
    }
  } finally {
    gone();
  }
}

function toFrame(entry: LogEntry): SseFrame {
  if ("gap" in entry) return { event: "gap", data: entry.gap };
  return { id: entry.event.id, event: entry.event.type, data: entry.event };
}

export function projectStreamRoutes({ projects, reader, events, readers }: StreamDeps) {
  const opened = (kind: StreamKind) => () => readers.opened(kind);
  const router = createRouter();
  router.openapi(logs, async (c) => {
    const { tail, follow } = c.req.valid("query");
    const accept = c.req.valid("header").accept ?? "";
    const lines = await reader.logs(c.req.valid("param").id, { tail, follow: follow === "true" });
    if (follow === "true") {
      keepOpen(c);
      if (accept.includes("text/event-stream")) return sseResponse((signal) => framesOf(lines(signal), opened("logs")));
      return textResponse((signal) => messagesOf(lines(signal)), { blankAfterMs: FOLLOWER_WAITS_MS });
    }
    if (accept.includes("text/plain")) return textResponse((signal) => messagesOf(lines(signal)));
    return c.json({ lines: await Array.fromAsync(lines(c.req.raw.signal)) }, 200);
  });
  router.openapi(projectEvents, (c) => {
    const { id } = projects.get(c.req.valid("param").id);
    const after = startingPoint(c.req.valid("header")["last-event-id"], c.req.valid("query").after) ?? 0;
    keepOpen(c);
    return sseResponse((signal) => toBytes(events.follow({ after, projectId: id, signal }), opened("project_events")));
  });
  return router;
}

export function eventRoutes({ events, readers }: Pick<StreamDeps, "events" | "readers">) {
  const router = createRouter();
  router.openapi(allEvents, (c) => {
    const after =
      startingPoint(c.req.valid("header")["last-event-id"], c.req.valid("query").after) ?? events.latestId();
    keepOpen(c);
    return sseResponse((signal) => toBytes(events.follow({ after, signal }), () => readers.opened("events")));
  });
  return router;
}

function startingPoint(lastEventId: string | undefined, after: number | undefined): number | undefined {
  return lastEventId === undefined ? after : Number(lastEventId);
}

async function* framesOf(lines: AsyncIterable<LogLine>, opened: () => () => void): AsyncGenerator<SseFrame> {
  const gone = opened();
  try {
    for await (const line of lines) yield { event: "log", data: line };
  } finally {
    gone();
  }
}

async function* messagesOf(lines: AsyncIterable<LogLine>): AsyncGenerator<string> {
  for await (const { message } of lines) yield message;
}

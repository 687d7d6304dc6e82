import { z } from "zod";
import { negotiate } from "../http/accept.ts";
import { readPage } from "../http/event-page.ts";
import type { EventStreams } from "../http/event-streams.ts";
import { framesAsLines } from "../http/frames.ts";
import { flag, nameList, preferHeader, waitSeconds, wholeNumber } from "../http/parameters.ts";
import { route } from "../http/route.ts";
import type { EventLog, LogReader, SessionManager } from "../types.ts";
import { eventPage } from "../wire/index.ts";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
/** A page is not for following; within this a proxy still holds the connection. */
const PAGE_WAIT_SECONDS_MAX = 60;
const FORMATS = ["text/event-stream", "application/json", "application/x-ndjson"] as const;
const AT_WORK = new Set(["starting", "running", "waiting"]);

const query = z.strictObject({
  after: z
    .union([z.literal("latest"), wholeNumber(0, Number.MAX_SAFE_INTEGER)], { error: "use a seq, or latest" })
    .optional()
    .describe("Seq of the last event already known; `latest` for only what comes from now on"),
  types: nameList.optional().describe("Types of events between commas; `gap` is always among them"),
  until: z.literal("idle").optional().describe("Ends the stream when everything is sent and nothing runs or waits"),
  limit: wholeNumber(1, PAGE_MAX).optional().describe(`Events of a page; ${PAGE_DEFAULT}`),
  wait: wholeNumber(0, PAGE_WAIT_SECONDS_MAX).optional().describe("Of a page: seconds to wait for its first event"),
  full: flag.optional().describe("Of a page: true leaves texts over 64 KiB as they are"),
});
const headers = z.object({
  accept: z.string().max(1024).optional(),
  prefer: preferHeader.optional(),
  "last-event-id": wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("What EventSource sends when it comes back; wins over `after`"),
});

/** Whether a page has no events. */
const isEmpty = (page: string): boolean => page.startsWith('{"events":[]');

const encoder = new TextEncoder();
const SSE_OPENING = encoder.encode("retry: 1000\n: ok\n\n");
const SSE_HEARTBEAT = encoder.encode(": alive\n\n");
const EMPTY_LINE = encoder.encode("\n");

type EventDeps = { log: EventLog; sessions: SessionManager; streams: EventStreams };
type Asked = {
  query: z.output<typeof query>;
  headers: z.output<typeof headers>;
  request: Request;
  keepOpen: () => void;
};

/** The log, of one session or of all: as server-sent events, as JSON lines, or page by page. */
export function createEventRoutes({ log, sessions, streams }: EventDeps) {
  function isIdle(sessionId: string): boolean {
    if (sessionId === "") {
      const { turnsRunning, promptsQueued } = sessions.activity();
      return turnsRunning + promptsQueued === 0;
    }
    const { status, queuedPrompts } = sessions.get(sessionId);
    return !AT_WORK.has(status) && queuedPrompts === 0;
  }

  async function page(reader: LogReader, { query, headers, request, keepOpen }: Asked): Promise<Response> {
    const options = { limit: query.limit ?? PAGE_DEFAULT, full: query.full ?? false };
    const seconds = Math.min(waitSeconds(query.wait, headers.prefer) ?? 0, PAGE_WAIT_SECONDS_MAX);
    let text = readPage(reader, options);
    if (seconds > 0 && isEmpty(text)) {
      keepOpen();
      const over = AbortSignal.any([AbortSignal.timeout(seconds * 1000), request.signal]);
      while (isEmpty(text) && !over.aborted && !reader.ended) {
        await reader.wait(over);
        text = readPage(reader, options);
      }
    }
    return new Response(text, { headers: { "content-type": "application/json;charset=utf-8" } });
  }

  function stream(sessionId: string, reader: LogReader, isLines: boolean, { query, request }: Asked): Response {
    const answer = {
      headers: {
        "content-type": isLines ? "application/x-ndjson" : "text/event-stream; charset=utf-8",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    };
    // Nobody will read, so nothing is to be opened.
    if (request.method === "HEAD") return new Response(null, answer);
    const detach = sessions.attach(sessionId);
    try {
      const body = streams.start({
        sessionId,
        reader,
        opening: isLines ? EMPTY_LINE : SSE_OPENING,
        heartbeat: isLines ? EMPTY_LINE : SSE_HEARTBEAT,
        async isOver() {
          if (query.until !== "idle" || !isIdle(sessionId)) return false;
          // What made it idle may not be in the log yet.
          await log.settled().catch(() => undefined);
          return isIdle(sessionId) && log.lastSeq(sessionId || undefined) <= reader.position;
        },
        endTells: query.until !== undefined,
        ...(isLines && { shape: framesAsLines }),
        onEnd: detach,
      });
      return new Response(body, answer);
    } catch (error) {
      detach();
      throw error;
    }
  }

  async function answer(sessionId: string, asked: Asked): Promise<Response> {
    const format = negotiate(asked.headers.accept ?? null, FORMATS);
    const { after = 0, types } = asked.query;
    const from = asked.headers["last-event-id"] ?? (after === "latest" ? log.lastSeq() : after);
    const reader = log.reader({
      after: from,
      ...(sessionId !== "" && { sessionId }),
      ...(types !== undefined && { types }),
    });
    if (format === "application/json") return await page(reader, asked);
    return stream(sessionId, reader, format === "application/x-ndjson", asked);
  }

  const shared = {
    method: "GET",
    scope: "read",
    query,
    headers,
  } as const;
  const types = [...FORMATS];

  return [
    route({
      ...shared,
      path: "/v1/sessions/:id/events",
      summary: "The session's events, by Accept: text/event-stream (default), application/json, application/x-ndjson",
      responses: { 200: { description: "A page, or a stream of events", schema: eventPage, types } },
      errors: ["session_not_found", "not_acceptable", "too_many_readers"],
      handler: ({ params, ...asked }) => {
        sessions.get(params.id);
        return answer(params.id, asked);
      },
    }),
    route({
      ...shared,
      path: "/v1/events",
      summary: "The events of all sessions, in the same forms",
      responses: { 200: { description: "A page, or a stream of events", schema: eventPage, types } },
      errors: ["not_acceptable", "too_many_readers"],
      handler: (asked) => answer("", asked),
    }),
  ];
}

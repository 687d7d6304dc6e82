import { z } from "zod";
import {
  cursor,
  idempotencyKey,
  preferHeader,
  WAIT_SECONDS_MAX,
  waitSeconds,
  wholeNumber,
} from "../http/parameters.ts";
import { json, route } from "../http/route.ts";
import type { SessionManager } from "../types.ts";
import { newPrompt, prompt, promptAccepted, promptAnswer } from "../wire/index.ts";
import { AGENT_ERRORS } from "./sessions.ts";

const PAGE_DEFAULT = 50;
const wait = wholeNumber(0, WAIT_SECONDS_MAX).optional().describe("Seconds to wait for the end of the turn");
const OVER = new Set(["finished", "failed", "cancelled", "interrupted"]);

/** Prompts: taken, waited for, looked up, cancelled. */
export function createPromptRoutes(sessions: SessionManager) {
  /** The prompt once it has ended (200), or as it stands after the seconds (202). */
  async function waited(id: string, promptId: string, seconds: number, signal: AbortSignal): Promise<Response> {
    const found = await sessions.waitForPrompt(id, promptId, seconds * 1000, signal);
    const headers = { "preference-applied": `wait=${seconds}` };
    return OVER.has(found.status) ? json(found, 200, headers) : json(found, 202, headers);
  }

  return [
    route({
      method: "POST",
      path: "/v1/sessions/:id/prompt",
      scope: "prompt",
      summary: "Takes a prompt; with ?wait= or Prefer: wait= answers when its turn has ended",
      query: z.strictObject({ wait }),
      headers: z.object({
        prefer: preferHeader.optional(),
        "idempotency-key": idempotencyKey.optional(),
      }),
      body: newPrompt,
      responses: {
        200: { description: "The turn has ended, or the prompt was taken before and has", schema: promptAnswer },
        202: {
          description: "Taken, and kept: the turn survives this connection. Read events after seq",
          schema: z.union([prompt, promptAccepted]),
        },
      },
      errors: [...AGENT_ERRORS, "prompt_running", "too_many_prompts", "idempotency_conflict"],
      handler: async ({ params, query, headers, body, caller, request, keepOpen }) => {
        const key = headers["idempotency-key"];
        const seconds = waitSeconds(query.wait, headers.prefer);
        keepOpen();
        const taken = await sessions.prompt(params.id, body, {
          caller,
          ...(key !== undefined && { idempotencyKey: key }),
        });
        return seconds === undefined ? json(taken, 202) : waited(params.id, taken.promptId, seconds, request.signal);
      },
    }),
    route({
      method: "GET",
      path: "/v1/sessions/:id/prompts",
      scope: "read",
      summary: "Prompts of the session, the newest first",
      query: z.strictObject({ cursor: cursor.optional(), limit: wholeNumber(1, 200).optional() }),
      responses: {
        200: {
          description: "A page of prompts",
          schema: z.object({ prompts: z.array(prompt), nextCursor: z.string().nullable() }),
        },
      },
      errors: ["session_not_found"],
      handler: ({ params, query: { cursor, limit = PAGE_DEFAULT } }) =>
        json(sessions.listPrompts(params.id, cursor === undefined ? { limit } : { limit, cursor })),
    }),
    route({
      method: "GET",
      path: "/v1/sessions/:id/prompts/:promptId",
      scope: "read",
      summary: "One prompt; with ?wait= or Prefer: wait= answers when its turn has ended",
      query: z.strictObject({ wait }),
      headers: z.object({ prefer: preferHeader.optional() }),
      responses: {
        200: { description: "The prompt", schema: z.union([promptAnswer, prompt]) },
        202: { description: "It has not ended in the time that was to be waited", schema: prompt },
      },
      errors: ["session_not_found", "prompt_not_found"],
      handler: ({ params, query, headers, request, keepOpen }) => {
        const seconds = waitSeconds(query.wait, headers.prefer);
        if (seconds === undefined) return json(sessions.getPrompt(params.id, params.promptId));
        keepOpen();
        return waited(params.id, params.promptId, seconds, request.signal);
      },
    }),
    route({
      method: "POST",
      path: "/v1/sessions/:id/cancel",
      scope: "prompt",
      summary: "Cancels what runs, or one prompt, or all that wait as well",
      body: z.strictObject({ queued: z.boolean().optional(), promptId: z.string().max(256).optional() }).optional(),
      responses: {
        200: { description: "Ids of what was cancelled", schema: z.object({ cancelled: z.array(z.string()) }) },
      },
      errors: ["session_not_found", "prompt_not_found", "storage_full"],
      handler: async ({ params, body, keepOpen }) => {
        keepOpen();
        const { queued, promptId } = body ?? {};
        const cancelled = await sessions.cancel(params.id, {
          ...(queued !== undefined && { queued }),
          ...(promptId !== undefined && { promptId }),
        });
        return json(cancelled);
      },
    }),
  ];
}

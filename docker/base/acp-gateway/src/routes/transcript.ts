import { z } from "zod";
import { negotiate } from "../http/accept.ts";
import { json, route } from "../http/route.ts";
import { transcriptMarkdown } from "../http/transcript-markdown.ts";
import type { SessionManager } from "../types.ts";
import { jsonObject } from "../wire/index.ts";

const FORMATS = ["application/json", "text/markdown"] as const;

/** What was said in a session, turn by turn. */
export function createTranscriptRoutes(sessions: SessionManager) {
  return [
    route({
      method: "GET",
      path: "/v1/sessions/:id/transcript",
      scope: "read",
      summary: "What was said, as messages or, by Accept: text/markdown, to be read",
      headers: z.object({ accept: z.string().max(1024).optional() }),
      responses: {
        200: {
          description: "The transcript",
          schema: z.object({ messages: z.array(jsonObject) }),
          types: [...FORMATS],
        },
      },
      errors: ["session_not_found", "not_acceptable"],
      handler: async ({ params, headers }) => {
        const format = negotiate(headers.accept ?? null, FORMATS);
        const session = sessions.get(params.id);
        const transcript = await sessions.transcript(params.id);
        if (format === "application/json") return json(transcript);
        return new Response(transcriptMarkdown(session, transcript.messages), {
          headers: { "content-type": "text/markdown; charset=utf-8" },
        });
      },
    }),
  ];
}

import { z } from "zod";
import { jsonObject, rpcError, sequence, timestamp } from "./json.ts";

export const contentBlock = z
  .looseObject({ type: z.string().min(1).max(64) })
  .describe("A content block as the protocol has it: text, image, audio, resource_link or resource");

export const newPrompt = z
  .strictObject({
    text: z.string().min(1).optional(),
    content: z.array(contentBlock).min(1).max(256).optional(),
    _meta: jsonObject.optional(),
  })
  .refine(({ text, content }) => (text === undefined) !== (content === undefined), {
    message: "give either text or content",
  })
  .meta({
    description: "Body of `POST /v1/sessions/{id}/prompt`. `text` is short for one text block",
    examples: [
      { text: "Explain src/main.ts" },
      {
        content: [
          { type: "text", text: "What is in it?" },
          { type: "resource_link", name: "a.md", uri: "file:///a.md" },
        ],
      },
    ],
  });
export type NewPrompt = z.infer<typeof newPrompt>;

export const promptStatus = z
  .enum(["queued", "running", "finished", "failed", "cancelled", "interrupted"])
  .describe("`interrupted`: the gateway ended while it ran");
export type PromptStatus = z.infer<typeof promptStatus>;

export const prompt = z.object({
  promptId: z.string(),
  sessionId: z.string(),
  status: promptStatus,
  content: z.array(contentBlock).describe("Empty once retention has removed the prompt's events"),
  stopReason: z
    .string()
    .nullable()
    .describe("Of a turn that ended by itself: end_turn, max_tokens, max_turn_requests, refusal, cancelled"),
  usage: jsonObject.nullable(),
  error: z.object({ code: z.string(), message: z.string(), rpc: rpcError.optional() }).nullable(),
  seq: sequence.describe("Where its `prompt_queued` event stands: read from here to see the turn"),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
});
export type Prompt = z.infer<typeof prompt>;

export const promptAccepted = z
  .object({ promptId: z.string(), seq: sequence, status: promptStatus })
  .describe("202: read `GET …/events?after=` the given seq");

export const promptAnswer = prompt
  .extend({
    text: z.string().describe("The agent's message chunks of this turn, put together"),
    toolCalls: z.array(jsonObject),
    truncated: z
      .boolean()
      .optional()
      .describe(
        "True where text or tool calls are missing: retention has removed events, or it is too much for an answer",
      ),
  })
  .describe("200 of a prompt that was waited for");
export type PromptAnswer = z.infer<typeof promptAnswer>;

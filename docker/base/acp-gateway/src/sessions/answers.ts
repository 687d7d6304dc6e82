import type { EventLog } from "../types.ts";
import type { JsonObject, Prompt, PromptAnswer } from "../wire/index.ts";
import { CONVERSATION_TYPES, createConversation } from "./conversation.ts";
import { textOf } from "./json.ts";
import { eventsOf } from "./log-events.ts";

/** What was said in the session so far, from its log. Long texts and lists are cut, and say so. */
export async function transcriptOf(log: EventLog, sessionId: string): Promise<{ messages: JsonObject[] }> {
  const conversation = createConversation();
  const reader = log.reader({ sessionId, after: 0, types: CONVERSATION_TYPES });
  for await (const event of eventsOf(reader, log.lastSeq(sessionId))) conversation.take(event);
  return { messages: conversation.messages };
}

/** The prompt together with what the agent said and did in its turn. */
export async function answerOf(log: EventLog, prompt: Prompt): Promise<PromptAnswer> {
  const conversation = createConversation();
  const { sessionId, seq, promptId, startedAt } = prompt;
  let isCut = false;
  for await (const event of eventsOf(log.reader({ sessionId, after: seq, types: CONVERSATION_TYPES }))) {
    // A gap before its start has nothing of it.
    if (event.type === "gap") isCut = startedAt !== null;
    if (event.promptId !== promptId) continue;
    if (event.type === "prompt_started") isCut = false;
    conversation.take(event);
    if (event.type.startsWith("prompt_") && event.type !== "prompt_started") break;
  }
  const { messages } = conversation;
  const parts = messages.flatMap(({ parts }) => (Array.isArray(parts) ? (parts as JsonObject[]) : []));
  const ofType = (type: string) => parts.filter((part) => part["type"] === type);
  return {
    ...prompt,
    text: ofType("text")
      .map(({ text }) => textOf(text))
      .join(""),
    toolCalls: ofType("tool_call").map(withoutType),
    ...((isCut || [...messages, ...parts].some(({ truncated }) => truncated === true)) && { truncated: true }),
  };
}

function withoutType(part: JsonObject): JsonObject {
  const call = { ...part };
  delete call["type"];
  return call;
}

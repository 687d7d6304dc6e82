import { keysOf, list, newId, object, sse, textOf, type Json } from "./json.ts";
import { argumentsOf, lastTurn, type Protocol } from "./protocol.ts";
import type { Reply } from "./script.ts";

const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

function toolCalls({ call }: Reply): Json[] {
  if (!call) return [];
  const shape = { name: call.name, arguments: JSON.stringify(argumentsOf(call)) };
  return [{ index: 0, id: newId("call"), type: "function", function: shape }];
}

/** OpenAI's chat/completions. */
export const chatCompletions: Protocol = {
  read: (body) => ({
    last: lastTurn(
      list(body["messages"]).map(({ role, content }) => ({
        by: role === "user" || role === "tool" ? role : "other",
        text: textOf(content),
      })),
    ),
    tools: list(body["tools"]).map((tool) => {
      const shape = object(tool["function"]);
      return { name: String(shape["name"]), parameters: keysOf(shape["parameters"]), freeform: false };
    }),
  }),

  *stream(reply, { model }) {
    const id = newId("chatcmpl");
    const chunk = (choices: Json[], more: Json = {}) =>
      sse({ id, object: "chat.completion.chunk", created: 0, model, choices, ...more });
    const delta = (delta: Json, reason: string | null = null) => chunk([{ index: 0, delta, finish_reason: reason }]);
    yield delta({ role: "assistant", content: "" });
    for (const content of reply.chunks) yield delta({ content });
    if (reply.call) yield delta({ tool_calls: toolCalls(reply) });
    yield delta({}, reply.call ? "tool_calls" : "stop");
    yield chunk([], { usage });
    yield sse("[DONE]");
  },

  whole: (reply, { model }) => ({
    id: newId("chatcmpl"),
    object: "chat.completion",
    created: 0,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: reply.chunks.join(""),
          ...(reply.call ? { tool_calls: toolCalls(reply) } : {}),
        },
        finish_reason: reply.call ? "tool_calls" : "stop",
      },
    ],
    usage,
  }),
};

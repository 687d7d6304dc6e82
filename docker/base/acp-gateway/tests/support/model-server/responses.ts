import { keysOf, list, newId, sse, textOf, type Json } from "./json.ts";
import { lastTurn, type Protocol } from "./protocol.ts";
import type { Reply } from "./script.ts";

const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 110,
};

function messageItem({ chunks }: Reply): Json {
  const content = [{ type: "output_text", text: chunks.join(""), annotations: [] }];
  return { id: newId("msg"), type: "message", role: "assistant", status: "completed", content };
}

function callItem({ call }: Reply): Json[] {
  if (!call) return [];
  const shared = { status: "completed", call_id: newId("call"), name: call.name };
  if ("input" in call) return [{ id: newId("ctc"), type: "custom_tool_call", ...shared, input: call.input }];
  return [{ id: newId("fc"), type: "function_call", ...shared, arguments: JSON.stringify(call.arguments) }];
}

function turnOf(item: Json) {
  const type = typeof item["type"] === "string" ? item["type"] : "message";
  if (type.endsWith("_output")) return { by: "tool" as const, text: textOf(item["output"]) };
  return { by: item["role"] === "user" ? ("user" as const) : ("other" as const), text: textOf(item["content"]) };
}

/** OpenAI's responses. */
export const responses: Protocol = {
  read: (body) => {
    const input = body["input"];
    const items = typeof input === "string" ? [{ role: "user", content: input }] : list(input);
    const tools = list(body["tools"]).flatMap((tool) => (tool["type"] === "namespace" ? list(tool["tools"]) : [tool]));
    return {
      last: lastTurn(items.map(turnOf)),
      tools: tools.map((tool) => ({
        name: String(tool["name"] ?? tool["type"]),
        parameters: keysOf(tool["parameters"]),
        freeform: tool["type"] === "custom",
      })),
    };
  },

  *stream(reply, { model }) {
    let number = 0;
    const event = (type: string, more: Json) => sse({ type, sequence_number: number++, ...more }, type);
    const response = { id: newId("resp"), object: "response", created_at: 0, model, status: "in_progress", output: [] };
    yield event("response.created", { response });
    const message = messageItem(reply);
    const place = { item_id: message["id"], output_index: 0, content_index: 0 };
    const part = { type: "output_text", text: "", annotations: [] };
    yield event("response.output_item.added", {
      output_index: 0,
      item: { ...message, status: "in_progress", content: [] },
    });
    yield event("response.content_part.added", { ...place, part });
    for (const delta of reply.chunks) yield event("response.output_text.delta", { ...place, delta });
    yield event("response.output_text.done", { ...place, text: reply.chunks.join("") });
    yield event("response.output_item.done", { output_index: 0, item: message });
    const calls = callItem(reply);
    for (const item of calls) {
      const started = { ...item, status: "in_progress", ...("arguments" in item ? { arguments: "" } : {}) };
      yield event("response.output_item.added", { output_index: 1, item: started });
      yield event("response.output_item.done", { output_index: 1, item });
    }
    yield event("response.completed", {
      response: { ...response, status: "completed", output: [message, ...calls], usage },
    });
  },

  whole: (reply, { model }) => ({
    id: newId("resp"),
    object: "response",
    created_at: 0,
    model,
    status: "completed",
    output: [messageItem(reply), ...callItem(reply)],
    usage,
  }),
};

import { keysOf, list, newId, sse, textOf, type Json } from "./json.ts";
import { argumentsOf, lastTurn, type Protocol } from "./protocol.ts";
import type { Reply } from "./script.ts";

const usage = { input_tokens: 100, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 10 };

function blocks({ chunks, call }: Reply): Json[] {
  const text = { type: "text", text: chunks.join("") };
  return call ? [text, { type: "tool_use", id: newId("toolu"), name: call.name, input: argumentsOf(call) }] : [text];
}

const stopReason = ({ call }: Reply) => (call ? "tool_use" : "end_turn");

function turnOf({ role, content }: Json) {
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : list(content);
  const results = parts.filter(({ type }) => type === "tool_result");
  if (results.length > 0) return { by: "tool" as const, text: textOf(results) };
  const said = parts.filter(({ type, text }) => type === "text" && !/^\s*<system-reminder>/.test(String(text)));
  return { by: role === "user" ? ("user" as const) : ("other" as const), text: textOf(said) };
}

/** Anthropic's messages. */
export const messages: Protocol = {
  read: (body) => ({
    last: lastTurn(list(body["messages"]).map(turnOf)),
    tools: list(body["tools"]).map((tool) => ({
      name: String(tool["name"]),
      parameters: keysOf(tool["input_schema"]),
      freeform: false,
    })),
  }),

  *stream(reply, { model }) {
    const event = (type: string, more: Json = {}) => sse({ type, ...more }, type);
    const start = {
      id: newId("msg"),
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      usage,
    };
    yield event("message_start", { message: { ...start, stop_sequence: null } });
    yield event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
    for (const text of reply.chunks) {
      yield event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
    }
    yield event("content_block_stop", { index: 0 });
    for (const tool of blocks(reply).slice(1)) {
      yield event("content_block_start", { index: 1, content_block: { ...tool, input: {} } });
      const delta = { type: "input_json_delta", partial_json: JSON.stringify(tool["input"]) };
      yield event("content_block_delta", { index: 1, delta });
      yield event("content_block_stop", { index: 1 });
    }
    yield event("message_delta", { delta: { stop_reason: stopReason(reply), stop_sequence: null }, usage });
    yield event("message_stop");
  },

  whole: (reply, { model }) => ({
    id: newId("msg"),
    type: "message",
    role: "assistant",
    model,
    content: blocks(reply),
    stop_reason: stopReason(reply),
    stop_sequence: null,
    usage,
  }),
};

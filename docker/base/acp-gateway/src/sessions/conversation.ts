import { cutText } from "../cut-text.ts";
import type { GatewayEvent, JsonObject, JsonValue } from "../wire/index.ts";
import { objectOf, textOf } from "./json.ts";
import { shorten } from "./shorten.ts";

/** What a transcript may take, of all texts together. */
const TEXT_MAX = 16 * 1024 * 1024;
const CALLS_MAX = 5000;

export const CONVERSATION_TYPES: ReadonlySet<string> = new Set([
  "prompt_started",
  "prompt_finished",
  "prompt_failed",
  "prompt_cancelled",
  "prompt_interrupted",
  "agent_message_chunk",
  "agent_thought_chunk",
  "tool_call",
  "tool_call_update",
  "plan",
]);

type Part = JsonObject & { type: string };
type Turn = { message: JsonObject; parts: Part[]; calls: Map<string, Part>; plan: Part | null };

/** Puts events together to what was said: texts joined, tool calls merged by their id, the latest plan. */
export function createConversation() {
  const messages: JsonObject[] = [];
  const started = new Set<string>();
  const turns = new Map<string, Turn>();
  let room = TEXT_MAX;
  let calls = 0;

  function turnOf({ promptId = "", time, seq }: GatewayEvent): Turn {
    const known = turns.get(promptId);
    if (known) return known;
    const parts: Part[] = [];
    const message = { role: "agent", promptId: promptId || null, time, seq, parts };
    const turn: Turn = { message, parts, calls: new Map(), plan: null };
    turns.set(promptId, turn);
    messages.push(message);
    return turn;
  }

  function say(turn: Turn, type: "text" | "thought", content: JsonObject): void {
    if (content["type"] !== "text") return add(turn, { type: "content", content: shorten(content) });
    const text = textOf(content["text"]);
    const taken = cutText(text, room);
    room -= taken.length;
    const last = turn.parts.at(-1);
    const part = last?.type === type ? last : { type, text: "" };
    if (part !== last) turn.parts.push(part);
    part["text"] = textOf(part["text"]) + taken;
    if (taken.length < text.length) part["truncated"] = true;
  }

  /** Whether there is room for it, which it then has. */
  function takes(value: JsonValue): boolean {
    const size = JSON.stringify(value).length;
    if (size > room) return false;
    room -= size;
    return true;
  }

  function add(turn: Turn, part: Part): void {
    if (takes(part)) turn.parts.push(part);
    else turn.message["truncated"] = true;
  }

  function call(turn: Turn, update: JsonObject): void {
    const { sessionUpdate: _, toolCallId, ...rest } = update;
    const id = textOf(toolCallId);
    const known = turn.calls.get(id);
    const change = shorten(rest) as JsonObject;
    if (known) {
      const size = JSON.stringify(change).length;
      if (size > room) turn.message["truncated"] = true;
      else Object.assign(known, withoutNulls(change));
      room = Math.max(0, room - size);
      return;
    }
    if (calls >= CALLS_MAX) {
      turn.message["truncated"] = true;
      return;
    }
    calls += 1;
    const part: Part = { type: "tool_call", toolCallId: id, ...withoutNulls(change) };
    turn.calls.set(id, part);
    add(turn, part);
  }

  function take(event: GatewayEvent): void {
    const { type, data = {}, update = {} } = event;
    switch (type) {
      case "prompt_started": {
        started.add(event.promptId ?? "");
        messages.push(asked(event, Array.isArray(data["content"]) ? data["content"] : []));
        break;
      }
      case "agent_message_chunk":
        return say(turnOf(event), "text", objectOf(update["content"]));
      case "agent_thought_chunk":
        return say(turnOf(event), "thought", objectOf(update["content"]));
      case "tool_call":
      case "tool_call_update":
        return call(turnOf(event), update);
      case "plan":
        return plan(turnOf(event), update["entries"] ?? []);
      case "gap":
        messages.push({ role: "gap", from: data["from"] ?? null, to: data["to"] ?? null });
        break;
      default:
        if (type.startsWith("prompt_")) finish(event, data);
    }
  }

  function asked({ promptId, time, seq }: GatewayEvent, blocks: JsonValue[]): JsonObject {
    const content: JsonValue[] = [];
    for (const block of blocks) {
      const shortened = shorten(block);
      if (takes(shortened)) content.push(shortened);
    }
    const cut = content.length < blocks.length ? { truncated: true } : {};
    return { role: "user", promptId: promptId ?? null, time, seq, content, ...cut };
  }

  function plan(turn: Turn, entries: JsonValue): void {
    const latest = shorten(entries);
    if (!turn.plan) return add(turn, (turn.plan = { type: "plan", entries: latest }));
    const before = JSON.stringify(turn.plan["entries"]).length;
    room += before;
    if (takes(latest)) turn.plan["entries"] = latest;
    else {
      room -= before;
      turn.message["truncated"] = true;
    }
  }

  function finish(event: GatewayEvent, data: JsonObject): void {
    // A prompt cancelled while it waited has said nothing and is no part of the conversation.
    const id = event.promptId ?? "";
    if (!started.has(id) && !turns.has(id)) return;
    const { message } = turnOf(event);
    message["status"] = event.type.slice("prompt_".length);
    if (data["stopReason"] !== undefined) message["stopReason"] = data["stopReason"];
    if (data["error"] !== undefined) message["error"] = data["error"];
  }

  return { take, messages };
}

/** Null in an update means that nothing changed. */
const withoutNulls = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));

import type { Json } from "./json.ts";
import type { Conversation, Reply } from "./script.ts";

/** One way in which model servers are talked to. */
export type Protocol = {
  read(body: Json): Conversation;
  /** The answer as server-sent events, or anything else that comes in pieces. */
  stream(reply: Reply, body: Json): Iterable<string>;
  whole(reply: Reply, body: Json): Json;
};

/** The last turn that is not the model's own. */
export function lastTurn(turns: readonly { by: "user" | "tool" | "other"; text: string }[]): Conversation["last"] {
  const last = turns.findLast(({ by }) => by !== "other");
  return { by: last?.by === "tool" ? "tool" : "user", text: last?.text ?? "" };
}

export const argumentsOf = (call: { arguments: Json } | { input: string }): Json =>
  "input" in call ? { input: call.input } : call.arguments;

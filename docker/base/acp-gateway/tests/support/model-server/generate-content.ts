import { keysOf, list, newId, object, sse, textOf, type Json } from "./json.ts";
import { argumentsOf, lastTurn, type Protocol } from "./protocol.ts";
import type { Reply } from "./script.ts";

const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 110 };

function answer(parts: Json[], finishReason?: string): Json {
  const candidate = { index: 0, content: { role: "model", parts }, ...(finishReason ? { finishReason } : {}) };
  return { candidates: [candidate], usageMetadata, modelVersion: "scripted" };
}

function callParts({ call }: Reply): Json[] {
  return call ? [{ functionCall: { id: newId("fc"), name: call.name, args: argumentsOf(call) } }] : [];
}

/** What is asked for in JSON is a side question of the agent's own (which model, who speaks next). */
function asAsked(reply: Reply, body: Json): Reply {
  if (object(body["generationConfig"])["responseMimeType"] !== "application/json") return reply;
  return { chunks: [JSON.stringify({ model_choice: "flash", reasoning: "scripted", next_speaker: "user" })] };
}

function turnOf({ role, parts }: Json) {
  const results = list(parts).flatMap((part) => ("functionResponse" in part ? [object(part["functionResponse"])] : []));
  if (results.length > 0) return { by: "tool" as const, text: textOf(results.map(({ response }) => response)) };
  return { by: role === "model" ? ("other" as const) : ("user" as const), text: textOf(list(parts)) };
}

/** Google's generateContent and streamGenerateContent. */
export const generateContent: Protocol = {
  read: (body) => ({
    last: lastTurn(list(body["contents"]).map(turnOf)),
    tools: list(body["tools"])
      .flatMap((tool) => list(tool["functionDeclarations"]))
      .map((tool) => ({
        name: String(tool["name"]),
        parameters: keysOf(tool["parametersJsonSchema"] ?? tool["parameters"]),
        freeform: false,
      })),
  }),

  *stream(asked, body) {
    const reply = asAsked(asked, body);
    for (const text of reply.chunks) yield sse(answer([{ text }]));
    const calls = callParts(reply);
    yield sse(answer(calls.length > 0 ? calls : [{ text: "" }], "STOP"));
  },

  whole(asked, body) {
    const reply = asAsked(asked, body);
    return answer([{ text: reply.chunks.join("") }, ...callParts(reply)], "STOP");
  },
};

import type { JsonObject, JsonValue, Session } from "../wire/index.ts";

/** A transcript to be read: whose turn it was, what was said, which tools ran. */
export function transcriptMarkdown({ title, id, agent }: Session, messages: readonly JsonObject[]): string {
  const turns = messages.map((message) => {
    if (message["role"] === "gap") return "> What was said here before is not kept any more.";
    return message["role"] === "user" ? userTurn(message) : agentTurn(message, agent);
  });
  return `${[`# ${oneLine(title ?? id)}`, ...turns].join("\n\n")}\n`;
}

function userTurn({ content }: JsonObject): string {
  return `## User\n\n${objects(content).map(blockText).join("\n\n")}`;
}

function agentTurn({ parts, stopReason, error }: JsonObject, agent: string): string {
  const said = objects(parts).map(partText);
  const failed = isObject(error) ? [`> The turn failed: ${oneLine(text(error["message"]))}`] : [];
  const stopped =
    typeof stopReason === "string" && stopReason !== "end_turn" ? [`> Ended: ${oneLine(stopReason)}`] : [];
  return [`## ${oneLine(agent)}`, ...said, ...failed, ...stopped].filter(Boolean).join("\n\n");
}

function partText(part: JsonObject): string {
  switch (part["type"]) {
    case "text":
      return text(part["text"]);
    case "thought":
      return text(part["text"]).replaceAll(/^/gm, "> ");
    case "tool_call":
      return `- **${oneLine(text(part["title"]) || "tool")}** (${oneLine(text(part["kind"]) || "other")}, ${oneLine(text(part["status"]) || "unknown")})`;
    case "plan":
      return objects(part["entries"]).map(planLine).join("\n");
    default:
      return blockText(part);
  }
}

function planLine({ status, content }: JsonObject): string {
  return `- [${status === "completed" ? "x" : " "}] ${oneLine(text(content))}`;
}

function blockText(block: JsonObject): string {
  if (block["type"] === "text") return text(block["text"]);
  if (block["type"] === "resource_link") return `[${oneLine(text(block["name"]))}](${oneLine(text(block["uri"]))})`;
  return `*(${oneLine(text(block["type"]))})*`;
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
/** Nothing an agent named can begin a heading or a list of its own. */
const oneLine = (value: string): string => value.replaceAll(/\s+/g, " ").trim();

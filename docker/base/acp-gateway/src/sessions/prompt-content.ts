import { GatewayError, type Violation } from "../gateway-error.ts";
import type { JsonObject, NewPrompt, Prompt } from "../wire/index.ts";
import { cutText } from "../cut-text.ts";
import { objectOf } from "./json.ts";

export type Content = Prompt["content"];

/** The capability a block needs; absent: every agent takes it. */
const NEEDS: Record<string, string> = { image: "image", audio: "audio", resource: "embeddedContext" };

/** Members a block cannot do without, by its type. Types the protocol does not know are the agent's to judge. */
const TEXTS: Record<string, readonly string[]> = {
  text: ["text"],
  image: ["data", "mimeType"],
  audio: ["data", "mimeType"],
  resource_link: ["uri", "name"],
  resource: [],
};

/**
 * The blocks of a prompt, once they are what the agent said it takes.
 * @throws GatewayError invalid_request for a malformed block, not_supported for one the agent does not take
 */
export function checkContent(input: NewPrompt, capabilities: JsonObject): Content {
  const content: Content = input.content ?? [{ type: "text", text: input.text ?? "" }];
  const malformed = content.flatMap((block, at) => problemsOf(block, `/content/${at}`));
  if (malformed.length > 0) {
    throw new GatewayError("invalid_request", malformed.map(({ path, message }) => `${path}: ${message}`).join("; "), {
      errors: malformed,
    });
  }
  const takes = objectOf(capabilities["promptCapabilities"]);
  const unsupported = content.flatMap(({ type }, at): Violation[] => {
    const need = NEEDS[type];
    if (need === undefined || takes[need] === true) return [];
    const message = `the agent takes no ${type} blocks`;
    return [{ path: `/content/${at}`, code: "not_supported", message, fix: "send text or a resource_link" }];
  });
  if (unsupported.length > 0) {
    throw new GatewayError("not_supported", unsupported.map(({ path, message }) => `${path}: ${message}`).join("; "), {
      errors: unsupported,
    });
  }
  return content;
}

function problemsOf(block: Content[number], path: string): Violation[] {
  const problems = (TEXTS[block.type] ?? [])
    .filter((name) => typeof block[name] !== "string")
    .map((name) => ({
      path: `${path}/${name}`,
      code: "required",
      message: `a ${block.type} block has a text ${name}`,
    }));
  if (block.type === "resource") {
    const resource = block["resource"];
    const whole =
      typeof resource === "object" &&
      resource !== null &&
      "uri" in resource &&
      typeof resource.uri === "string" &&
      ("text" in resource || "blob" in resource);
    if (!whole) {
      problems.push({ path: `${path}/resource`, code: "required", message: "a resource has a uri and a text or blob" });
    }
  }
  return problems;
}

/** What a list shows of a prompt. */
export function previewOf(content: Content, length: number): string {
  const texts = content.map((block) => (typeof block["text"] === "string" ? block["text"] : `[${block.type}]`));
  return cutText(texts.join("\n"), length);
}

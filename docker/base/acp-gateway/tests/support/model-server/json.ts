export type Json = Record<string, unknown>;

export const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
export const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);

/** All text in a message's content, however deep: a string, parts, or results of tools. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOf).filter(Boolean).join("\n");
  const { text, content: inner, output } = object(content);
  return textOf(text ?? inner ?? output ?? "");
}

export function keysOf(schema: unknown): ReadonlySet<string> {
  return new Set(Object.keys(object(object(schema)["properties"])));
}

let made = 0;
/** Unlike in every answer, as agents keep them. */
export const newId = (prefix: string): string => `${prefix}_${(++made).toString(36)}${crypto.randomUUID().slice(0, 8)}`;

/** One server-sent event. */
export const sse = (data: unknown, event?: string): string =>
  `${event ? `event: ${event}\n` : ""}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

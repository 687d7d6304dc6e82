import type { JsonObject, JsonValue } from "../wire/index.ts";

/** Shorter values, such as "true" or a port, are no secrets and would blank half a text. */
const SECRET_LENGTH_MIN = 6;
const SECRETS_MAX = 4096;
const SECRET_ARGUMENT = /^-{1,2}[\w-]*(?:key|token|secret|password|credential)[\w-]*(?:=(.*))?$/is;
const BLANK = "[secret]";

export type Redactor = ReturnType<typeof createRedactor>;

/** Blanks in texts what one process was given in confidence. */
export function createRedactor(values: Iterable<string> = []) {
  const secrets = new Set<string>();
  let longest = 0;

  function learn(value: string): void {
    if (value.length < SECRET_LENGTH_MIN || secrets.size >= SECRETS_MAX) return;
    secrets.add(value);
    longest = Math.max(longest, value.length);
  }

  function redact(text: string): string {
    let blanked = text;
    // The longest first: a secret may be part of another.
    for (const secret of [...secrets].toSorted((a, b) => b.length - a.length)) {
      blanked = blanked.replaceAll(secret, BLANK);
    }
    return blanked;
  }

  function redactJson(value: JsonValue): JsonValue {
    if (typeof value === "string") return redact(value);
    if (Array.isArray(value)) return value.map(redactJson);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, redactJson(member)]));
  }

  function learnAll(value: JsonValue | undefined): void {
    if (typeof value === "string") learn(value);
    else if (Array.isArray(value)) for (const member of value) learnAll(member);
    else if (typeof value === "object" && value !== null) for (const member of Object.values(value)) learnAll(member);
  }

  for (const value of values) learn(value);

  return {
    redact,
    redactJson,
    /** Length of the longest secret, in UTF-16 units. */
    longest: () => longest,

    /** Remembers the secrets a request hands to the agent: keys, tokens, headers, variables. */
    learnFrom(method: string, params: JsonObject): void {
      if (method === "authenticate") learnAll(params["_meta"]);
      else if (method.startsWith("providers/")) learnAll(params["headers"]);
      const servers = params["mcpServers"];
      if (!Array.isArray(servers)) return;
      for (const server of servers) {
        if (typeof server !== "object" || server === null || Array.isArray(server)) continue;
        for (const list of [server["env"], server["headers"]]) learnValues(list);
        learnArguments(server["args"]);
      }
    },
  };

  /** `--api-key VALUE` and `--api-key=VALUE`; other arguments are words that texts have too. */
  function learnArguments(list: JsonValue | undefined): void {
    if (!Array.isArray(list)) return;
    for (const [at, argument] of list.entries()) {
      const [, joined] = SECRET_ARGUMENT.exec(typeof argument === "string" ? argument : "") ?? [null];
      if (joined !== null) learnAll(joined ?? list[at + 1]);
    }
  }

  function learnValues(list: JsonValue | undefined): void {
    if (!Array.isArray(list)) return;
    for (const pair of list) {
      if (typeof pair === "object" && pair !== null && !Array.isArray(pair)) learnAll(pair["value"]);
    }
  }
}

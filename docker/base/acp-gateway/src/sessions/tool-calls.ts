import type { JsonObject } from "../wire/index.ts";

const CALLS_MAX = 256;
const TITLE_MAX = 4096;
const PATHS_MAX = 256;

/** What a policy looks at. */
export type ToolCallFacts = { kind: string | null; title: string | null; paths: string[] };
export type ToolCallMemory = ReturnType<typeof createToolCallMemory>;

/**
 * Remembers the latest tool calls of a session: a request for permission may leave out what the call's
 * updates have said before.
 */
export function createToolCallMemory() {
  const calls = new Map<string, ToolCallFacts>();

  function note(update: JsonObject): ToolCallFacts {
    const id = typeof update["toolCallId"] === "string" ? update["toolCallId"] : "";
    const facts = merge(calls.get(id), update);
    calls.delete(id);
    calls.set(id, facts);
    if (calls.size > CALLS_MAX) {
      const [oldest] = calls.keys();
      if (oldest !== undefined) calls.delete(oldest);
    }
    return facts;
  }

  return { note };
}

function merge(before: ToolCallFacts | undefined, update: JsonObject): ToolCallFacts {
  const { kind, title } = update;
  return {
    kind: typeof kind === "string" ? kind : (before?.kind ?? null),
    title: typeof title === "string" ? title.slice(0, TITLE_MAX) : (before?.title ?? null),
    paths: [...new Set([...(before?.paths ?? []), ...pathsOf(update)])].slice(0, PATHS_MAX),
  };
}

/** Paths of the call's locations and of its diffs. Those told earlier stay: a policy must see them all. */
function pathsOf(update: JsonObject): string[] {
  const paths: string[] = [];
  for (const list of [update["locations"], update["content"]]) {
    if (!Array.isArray(list)) continue;
    for (const entry of list) {
      if (typeof entry !== "object" || entry === null || Array.isArray(entry)) continue;
      if (typeof entry["path"] === "string") paths.push(entry["path"]);
    }
  }
  return paths;
}

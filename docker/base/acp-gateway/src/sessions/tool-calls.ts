import type { JsonObject } from "../wire/index.ts";

const CALLS_MAX = 256;
const TITLE_MAX = 4096;
const PATHS_MAX = 256;
/** Longer than any that exists. */
const PATH_LENGTH_MAX = 8192;
const ID_LENGTH_MAX = 1024;

/** What a policy looks at. */
export type ToolCallFacts = {
  kind: string | null;
  title: string | null;
  /** `title` is only its beginning. */
  isTitleCut: boolean;
  paths: string[];
  /** There are paths that are not among `paths`. */
  hasMorePaths: boolean;
};
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
    // What was said of it before is not known.
    if (id.length > ID_LENGTH_MAX) return { ...facts, hasMorePaths: true };
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
  const paths = [...new Set([...(before?.paths ?? []), ...pathsOf(update)])];
  const kept = paths.filter(({ length }) => length <= PATH_LENGTH_MAX).slice(0, PATHS_MAX);
  return {
    kind: typeof kind === "string" ? kind.slice(0, TITLE_MAX) : (before?.kind ?? null),
    title: typeof title === "string" ? title.slice(0, TITLE_MAX) : (before?.title ?? null),
    isTitleCut: typeof title === "string" ? title.length > TITLE_MAX : before?.isTitleCut === true,
    paths: kept,
    hasMorePaths: before?.hasMorePaths === true || kept.length < paths.length,
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

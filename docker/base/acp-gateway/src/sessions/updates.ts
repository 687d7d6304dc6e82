import { cutText } from "../cut-text.ts";
import { GATEWAY_EVENT_TYPES, type JsonObject } from "../wire/index.ts";
import { persist, type SessionContext } from "./context.ts";
import type { Connection, LiveSession, SessionRecord } from "./live-session.ts";
import { objectOf } from "./json.ts";

type Update = JsonObject & { sessionUpdate: string };

/** Event type of an update whose own name is none, or is one of the gateway's. */
const OTHER = "agent_update";
const TYPES_MAX = 256;
const NAME_LENGTH_MAX = 64;
/** Of an update that changes what the session says of itself; a larger one is left to the log. */
const STATE_LENGTH_MAX = 512 * 1024;
const OWN: ReadonlySet<string> = new Set(GATEWAY_EVENT_TYPES);
const TITLE_MAX = 500;

const STATE = new Set([
  "current_mode_update",
  "config_option_update",
  "available_commands_update",
  "session_info_update",
  "usage_update",
]);

export type Updates = ReturnType<typeof createUpdates>;

/** Takes an agent's updates into the log, unchanged, and into what the session says of itself. */
export function createUpdates(context: SessionContext) {
  const types = new Map<string, string>();

  function classify(name: string): string {
    const type = /^[a-z0-9_]{1,64}$/.test(name) && !OWN.has(name) ? name : OTHER;
    if (types.size < TYPES_MAX && name.length <= NAME_LENGTH_MAX) types.set(name, type);
    return type;
  }

  /** The hot path: one event object and nothing else for each chunk of text. */
  function take(session: LiveSession, connection: Connection, update: Update, raw: string, meta: string | null): void {
    const name = update.sessionUpdate;
    const type = types.get(name) ?? classify(name);
    if (STATE.has(type)) apply(session, update, raw.length);
    else if (type === "tool_call" || type === "tool_call_update") session.toolCalls.note(update);
    if (connection.replaying) return;
    context.log.stage({
      sessionId: session.record.id,
      type,
      promptId: session.running === null ? null : session.running.id,
      members: meta === null ? `"update":${raw}` : `"_meta":${meta},"update":${raw}`,
    });
    context.log.commitSoon();
  }

  return { take };

  function apply(session: LiveSession, update: Update, length: number): void {
    if (length > STATE_LENGTH_MAX) {
      context.report("an update is too large for the session's state", { session: session.record.id, length });
    } else if (applyState(session.record, update)) persist(context, session, false);
  }
}

/** Whether anything of it was taken over. Members of an unexpected shape are left to the log. */
function applyState(record: SessionRecord, update: Update): boolean {
  switch (update.sessionUpdate) {
    case "current_mode_update":
      if (typeof update["currentModeId"] !== "string") return false;
      record.modes = { ...record.modes, currentModeId: update["currentModeId"] };
      return true;
    case "config_option_update":
      if (!Array.isArray(update["configOptions"])) return false;
      record.configOptions = update["configOptions"].map(objectOf);
      return true;
    case "available_commands_update":
      if (!Array.isArray(update["availableCommands"])) return false;
      record.availableCommands = update["availableCommands"].map(objectOf);
      return true;
    case "session_info_update":
      if (record.titleGiven || update["title"] === undefined) return false;
      record.title = typeof update["title"] === "string" ? cutText(update["title"], TITLE_MAX) : null;
      return true;
    case "usage_update": {
      const { sessionUpdate: _, ...usage } = update;
      record.usage = usage;
      return true;
    }
    default:
      return false;
  }
}

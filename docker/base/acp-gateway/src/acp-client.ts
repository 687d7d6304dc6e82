import type { AgentCounters } from "./agents/counters.ts";
import { createIncomingRequests } from "./agents/incoming-requests.ts";
import { isTooDeep } from "./agents/json-depth.ts";
import { isObject } from "./agents/json-shape.ts";
import { createMessageReader } from "./agents/message-reader.ts";
import { createPendingRequests, type RequestOptions } from "./agents/pending-requests.ts";
import { rawMember } from "./agents/raw-member.ts";
import type { Redactor } from "./agents/redactor.ts";
import { createSessionRoutes, type SessionRoute, UPDATE_PREFIX } from "./agents/session-routes.ts";
import type { GatewayError } from "./gateway-error.ts";
import type { AgentSessionHandlers } from "./types.ts";
import type { JsonObject } from "./wire/index.ts";

const CLOSING_BRACE = 125;
const CARRIAGE_RETURN = 13;

const META = ',"_meta":';

/** Where in a block the update of a line begins, and where the line ends. */
type Place = { route: SessionRoute; from: number; end: number };

type Update = JsonObject & { sessionUpdate: string };

type AcpClientDeps = {
  agentId: string;
  redactor: Redactor;
  counters: AgentCounters;
  /** Writes one line, without its end, to the agent. */
  send: (line: string) => void;
  log: (message: string, fields: Record<string, unknown>) => void;
};

export type AcpClient = ReturnType<typeof createAcpClient>;

/**
 * The client's side of the protocol over one agent's stdio. It looks into messages only to route them;
 * what it does not know is handed on as it came.
 */
export function createAcpClient({ agentId, redactor, counters, send, log }: AcpClientDeps) {
  const routes = createSessionRoutes(counters);
  const pending = createPendingRequests({ agentId, redactor, send });
  const incoming = createIncomingRequests({ send, onBug });
  const reader = createMessageReader({ agentId, counters, routes, pending, incoming, log, onUpdateLine });
  let lastRoute: SessionRoute | undefined;

  function onBug(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    log("an agent's message could not be handled", { agent: agentId, reason: redactor.redact(reason) });
  }

  /**
   * Most lines are updates that begin with the same text. What stands between that and the last two
   * braces is exactly one JSON value when it parses as one, which proves the whole line.
   */
  function readFast(block: string, start: number, end: number): boolean {
    let route = lastRoute;
    if (route === undefined || !block.startsWith(route.prefix, start)) {
      route = routeAt(block, start);
      if (route === undefined) return false;
      lastRoute = route;
    }
    if (route.handlers === null) return false;
    if (block.charCodeAt(end - 1) !== CLOSING_BRACE || block.charCodeAt(end - 2) !== CLOSING_BRACE) return false;
    const from = start + route.prefix.length;
    // An agent that puts `_meta` behind its updates does so again; a failed try costs more than the rest.
    if (route.endsWithMeta) return readWithMeta(block, { route, from, end }) || readAlone(block, { route, from, end });
    return readAlone(block, { route, from, end }) || readWithMeta(block, { route, from, end });
  }

  function readAlone(block: string, { route, from, end }: Place): boolean {
    const raw = block.slice(from, end - 2);
    const update = parse(raw);
    if (!isUpdate(update) || isTooDeep(raw)) return false;
    route.endsWithMeta = false;
    counters.updates += 1;
    route.handlers?.onUpdate(update, raw, null);
    return true;
  }

  /** Both texts parse alone, so the line is an object with exactly these members. */
  function readWithMeta(block: string, { route, from, end }: Place): boolean {
    const metaAt = block.lastIndexOf(META, end);
    if (metaAt <= from) return false;
    const raw = block.slice(from, metaAt);
    const meta = block.slice(metaAt + META.length, end - 2);
    const update = parse(raw);
    if (!isUpdate(update) || parse(meta) === undefined || isTooDeep(raw) || isTooDeep(meta)) return false;
    route.endsWithMeta = true;
    counters.updates += 1;
    route.handlers?.onUpdate(update, raw, meta === "null" ? null : meta);
    return true;
  }

  function routeAt(block: string, start: number): SessionRoute | undefined {
    if (!block.startsWith(UPDATE_PREFIX, start)) return undefined;
    const idStart = start + UPDATE_PREFIX.length;
    const route = routes.find(block.slice(idStart, block.indexOf('"', idStart)));
    return route !== undefined && block.startsWith(route.prefix, start) ? route : undefined;
  }

  /** A `session/update` of another shape: the texts are cut out of the line. */
  function onUpdateLine(line: string, sessionId: string, update: Update): void {
    const params = rawMember(line, "params") ?? "{}";
    const raw = onOneLine(rawMember(params, "update") ?? "{}");
    const metaText = rawMember(params, "_meta");
    const meta = metaText === null || metaText === "null" ? null : onOneLine(metaText);
    counters.updates += 1;
    const route = routes.findOrAdd(sessionId);
    if (route?.handlers) route.handlers.onUpdate(update, raw, meta);
    else routes.keep(route, line.length, (handlers) => handlers.onUpdate(update, raw, meta));
  }

  return {
    /** Takes whole lines, each with its "\n". */
    readBlock(block: string): void {
      // Between the tokens of a line a "\r" is legal JSON, and would break an SSE frame apart.
      const fast = !block.includes("\r");
      let start = 0;
      for (let end = block.indexOf("\n"); end >= 0; end = block.indexOf("\n", start)) {
        try {
          if (!fast || !readFast(block, start, end)) reader.read(block.slice(start, trimmedEnd(block, start, end)));
        } catch (error) {
          onBug(error);
        }
        start = end + 1;
      }
    },

    request(method: string, params: JsonObject, options?: RequestOptions): Promise<JsonObject> {
      return pending.request(method, params, options);
    },

    notify(method: string, params: JsonObject): void {
      send(JSON.stringify({ jsonrpc: "2.0", method, params }));
    },

    attach: (agentSessionId: string, handlers: AgentSessionHandlers) => routes.attach(agentSessionId, handlers),

    /** The process has ended: everything that waits fails with this. */
    fail(error: GatewayError): void {
      pending.fail(error);
      incoming.abortAll();
    },
  };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isUpdate(value: unknown): value is Update {
  return isObject(value) && typeof value["sessionUpdate"] === "string";
}

function trimmedEnd(block: string, start: number, end: number): number {
  return end > start && block.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
}

/** In JSON a bare one can only be space between tokens. */
function onOneLine(json: string): string {
  return json.includes("\r") ? json.replaceAll("\r", " ") : json;
}

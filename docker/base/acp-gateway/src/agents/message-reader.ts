import type { JsonObject } from "../wire/index.ts";
import type { AgentCounters } from "./counters.ts";
import type { createIncomingRequests, RequestId } from "./incoming-requests.ts";
import { isTooDeep } from "./json-depth.ts";
import { isObject } from "./json-shape.ts";
import type { createPendingRequests } from "./pending-requests.ts";
import { rawMember } from "./raw-member.ts";
import { RPC } from "./rpc-error.ts";
import type { createSessionRoutes } from "./session-routes.ts";

const TELL_EVERY_MS = 60_000;

type MessageReaderDeps = {
  agentId: string;
  counters: AgentCounters;
  routes: ReturnType<typeof createSessionRoutes>;
  pending: ReturnType<typeof createPendingRequests>;
  incoming: ReturnType<typeof createIncomingRequests>;
  log: (message: string, fields: Record<string, unknown>) => void;
  onUpdateLine: (line: string, sessionId: string, update: JsonObject & { sessionUpdate: string }) => void;
};

type Message = Record<string, unknown>;

/** Reads one line of any kind: answers, requests, notifications, and what is none of them. */
export function createMessageReader(deps: MessageReaderDeps) {
  const { agentId, counters, routes, pending, incoming, log } = deps;
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;

  function tell(what: string): void {
    untold += 1;
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    log("an agent broke the protocol", { agent: agentId, what, count: untold });
    toldAt = now;
    untold = 0;
  }

  function noise(): void {
    counters.noiseLines += 1;
    tell("lines on stdout that are no messages; they were dropped");
  }

  function malformed(id: unknown, what: string): void {
    counters.malformedMessages += 1;
    tell(what);
    if (isId(id)) incoming.sendError(id, { code: RPC.invalidRequest, message: what });
  }

  function batch(members: unknown[]): void {
    const what = "batches are not part of the protocol; send one message per line";
    const requests = members.filter((member): member is Message => isObject(member) && "method" in member);
    const ids = requests.map((member) => member["id"]).filter(isId);
    malformed(ids.length === 0 ? null : ids.shift(), what);
    for (const id of ids) incoming.sendError(id, { code: RPC.invalidRequest, message: what });
    for (const member of members) {
      if (isObject(member) && isAnswer(member)) {
        pending.answer({ id: member["id"], error: { code: RPC.invalidRequest, message: "it came in a batch" } });
      }
    }
  }

  function request(id: RequestId, method: string, params: JsonObject): void {
    const sessionId = sessionOf(params);
    if (sessionId === undefined) {
      const [only, other] = routes.attached();
      if (only && !other) return incoming.take(id, method, params, only);
      return incoming.sendError(id, { code: RPC.methodNotFound, message: `${method} needs a sessionId here` });
    }
    const known = routes.find(sessionId);
    if (known?.handlers) return incoming.take(id, method, params, known.handlers);
    if (known?.ended) return refuseSession(id);
    if (!known?.expected && !pending.isOpening()) {
      // Of no session of ours: a subagent's, which nobody but its parent's users could answer.
      const [only, other] = routes.attached();
      if (only && !other) return incoming.take(id, method, params, only);
      if (only) return refuseSession(id);
    }
    const route = known ?? routes.findOrAdd(sessionId);
    const kept = routes.keep(route, JSON.stringify(params).length, (handlers) =>
      incoming.take(id, method, params, handlers),
    );
    if (!kept) refuseSession(id);
  }

  function refuseSession(id: RequestId): void {
    incoming.sendError(id, { code: RPC.resourceNotFound, message: "this session is not open here" });
  }

  /** Nothing of it can be used, but who waits for an answer is told so. */
  function tooDeep(message: unknown): void {
    const what = "a message that is nested too deep";
    if (isObject(message) && isAnswer(message)) {
      counters.malformedMessages += 1;
      tell(what);
      pending.answer({ id: message["id"], error: { code: RPC.invalidRequest, message: what } });
    } else malformed(isObject(message) ? message["id"] : undefined, what);
  }

  function notification(method: string, params: JsonObject, line: string): void {
    if (method === "$/cancel_request") return incoming.cancel(params["requestId"]);
    const sessionId = params["sessionId"];
    if (method === "session/update") {
      const update = params["update"];
      if (typeof sessionId !== "string" || !isObject(update) || typeof update["sessionUpdate"] !== "string") {
        return malformed(undefined, "a session/update without sessionId or update.sessionUpdate");
      }
      return deps.onUpdateLine(line, sessionId, update as JsonObject & { sessionUpdate: string });
    }
    if (typeof sessionId !== "string") {
      for (const handlers of routes.attached()) handlers.onNotification(method, params);
      return;
    }
    const route = routes.findOrAdd(sessionId);
    if (route?.handlers) return route.handlers.onNotification(method, params);
    routes.keep(route, line.length, (handlers) => handlers.onNotification(method, params));
  }

  /** A request about one of ours, such as an elicitation during session/load, belongs to that one's session. */
  function sessionOf(params: JsonObject): string | undefined {
    return typeof params["sessionId"] === "string" ? params["sessionId"] : pending.sessionOf(params["requestId"]);
  }

  function read(line: string): void {
    if (line.trim() === "") return;
    const message = parse(line);
    if (message !== undefined && isTooDeep(line)) return tooDeep(message);
    if (Array.isArray(message)) return batch(message);
    if (!isObject(message)) return noise();
    const { method, params = {} } = message as Message;
    const id = exactId(message["id"], line);
    if (typeof method === "string") {
      if (id !== undefined && !isId(id)) return malformed(null, "an id must be a string, a number or null");
      if (!isObject(params)) return malformed(id, "params must be an object");
      return id === undefined ? notification(method, params, line) : request(id, method, params);
    }
    if (isAnswer(message)) {
      const made = pending.answer(message);
      if (typeof made === "string") routes.expect(made);
      if (!made) malformed(undefined, "an answer to no request");
      return;
    }
    // A program that logs JSON is no peer that could be told of its mistake.
    if (message["jsonrpc"] !== "2.0") return noise();
    malformed(id, "a message needs a method, a result or an error");
  }

  return { read };
}

function parse(line: string): unknown {
  const first = line.trimStart().charAt(0);
  if (first !== "{" && first !== "[") return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isAnswer(message: Message): boolean {
  return message["method"] === undefined && "id" in message && ("result" in message || "error" in message);
}

function isId(id: unknown): id is RequestId {
  if (id === null || typeof id === "string" || typeof id === "bigint") return true;
  return typeof id === "number" && Number.isFinite(id);
}

/** An integer too large to be a number as it is written: the agent knows it by that alone. */
function exactId(id: unknown, line: string): unknown {
  if (typeof id !== "number" || !Number.isInteger(id) || Number.isSafeInteger(id)) return id;
  const written = rawMember(line, "id") ?? "";
  return /^-?\d{1,64}$/.test(written) ? BigInt(written) : id;
}

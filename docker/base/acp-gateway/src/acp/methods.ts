import { z } from "zod";
import { requireModeScope, requireOptionScope, requireSessionScopes } from "../session-scopes.ts";
import { jsonObject, newSession, type NewSession, sessionTitle } from "../wire/index.ts";
import { attach, detach, load, resume } from "./attach-methods.ts";
import { chooseAgent, gatewayMeta, type Method, parseParams, sessionIdParams } from "./call.ts";
import type { Connection } from "./connection.ts";
import { describeGateway, describeSession, listed } from "./describe.ts";
import { RPC } from "./json-rpc.ts";
import { prompt } from "./prompt-method.ts";
import { requireScope } from "./scopes.ts";

const PAGE = 100;
/** Pages looked through for sessions of one folder. */
const PAGES_MAX = 100;

/** Of `_meta.gateway` in `session/new`: what the protocol has no word for. */
const EXTRAS = newSession.pick({
  mode: true,
  model: true,
  config: true,
  env: true,
  permissionPolicy: true,
  queuePolicy: true,
  title: true,
});

const initialize: Method = async (deps, { connection, params }) => {
  parseParams(z.looseObject({ protocolVersion: z.int().min(0).max(65_535) }), params);
  connection.client = params;
  // An agent that cannot be found is refused by session/new, with a better text.
  const id = await chooseAgent(deps, { connection, params }).catch(() => undefined);
  const agent = (await deps.agents.outline()).find((known) => known.id === id);
  return describeGateway(deps.version, agent, deps.log.lastSeq());
};

const create: Method = async (deps, call) => {
  const { connection, params } = call;
  const agent = await chooseAgent(deps, call);
  const auth = connection.credentials.get(agent);
  const { cwd, additionalDirectories, mcpServers } = parseParams(
    newSession.pick({ cwd: true, additionalDirectories: true, mcpServers: true }),
    {
      cwd: params["cwd"],
      additionalDirectories: params["additionalDirectories"] ?? undefined,
      mcpServers: params["mcpServers"] ?? undefined,
    },
  );
  const extras = parseParams(EXTRAS.strip(), gatewayMeta(params));
  const input: NewSession = parseParams(newSession, {
    ...extras,
    agent,
    cwd,
    additionalDirectories,
    mcpServers,
    ...(auth ? { auth } : {}),
  });
  requireSessionScopes(input, connection.caller);
  const session = await deps.sessions.create(input, connection.caller);
  if (connection.closed) return undefined;
  call.reply({ sessionId: session.id, ...describeSession(session) });
  connection.attach(session.id, { after: 0, replayTo: 0, pending: true });
  return undefined;
};

const list: Method = async ({ sessions }, { params }) => {
  const { cwd, cursor } = parseParams(
    z.looseObject({ cwd: z.string().nullish(), cursor: z.string().max(1024).nullish() }),
    params,
  );
  const found = [];
  let next = cursor ?? null;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = sessions.list({ limit: PAGE, ...(next === null ? {} : { cursor: next }) });
    found.push(...page.sessions.filter((session) => cwd === undefined || cwd === null || session.cwd === cwd));
    next = page.nextCursor;
    if (next === null || found.length >= PAGE || !cwd) break;
  }
  return { sessions: found.map(listed), ...(next === null ? {} : { nextCursor: next }) };
};

const close: Method = async ({ sessions }, { connection, params }) => {
  const { sessionId } = parseParams(sessionIdParams, params);
  await sessions.close(sessionId);
  connection.detach(sessionId);
  return {};
};

const remove: Method = async ({ sessions }, { params }) => {
  await sessions.remove(parseParams(sessionIdParams, params).sessionId);
  return {};
};

const fork: Method = async ({ sessions }, call) => {
  const { connection, params } = call;
  const session = await sessions.fork(parseParams(sessionIdParams, params).sessionId, connection.caller);
  if (connection.closed) return undefined;
  call.reply({ sessionId: session.id, ...describeSession(session) });
  connection.attach(session.id, { after: 0, replayTo: 0, pending: true });
  return undefined;
};

const setMode: Method = async ({ sessions }, { connection, params }) => {
  requireModeScope(connection.caller);
  const { sessionId, modeId } = parseParams(sessionIdParams.extend({ modeId: z.string().min(1).max(256) }), params);
  await sessions.setMode(sessionId, modeId);
  return {};
};

const setConfigOption: Method = async ({ sessions }, { connection, params }) => {
  const { sessionId, configId, value } = parseParams(
    sessionIdParams.extend({
      configId: z.string().min(1).max(256),
      value: z.union([z.string().max(4096), z.boolean()]),
    }),
    params,
  );
  requireOptionScope(sessions.get(sessionId), configId, connection.caller);
  const { configOptions } = await sessions.setConfig(sessionId, configId, value);
  return { configOptions };
};

const setTitle: Method = async ({ sessions }, { connection, params }) => {
  const { sessionId, title } = parseParams(sessionIdParams.extend({ title: sessionTitle.nullable() }), params);
  await sessions.patch(sessionId, { title }, connection.caller);
  return {};
};

/** Kept for the sessions that this connection will make; agents of those it follows are told at once. */
const authenticate: Method = async (deps, call) => {
  const { connection, params, method } = call;
  const { sessionId } = params;
  if (typeof sessionId === "string") {
    requireScope(method, connection.caller, "admin");
    return await deps.sessions.call(sessionId, method, params);
  }
  const { methodId, _meta: meta } = parseParams(
    z.looseObject({ methodId: z.string().min(1).max(256), _meta: jsonObject.nullish() }),
    params,
  );
  const agent = await chooseAgent(deps, call);
  for (const id of led(connection)) {
    if (deps.sessions.get(id).agent === agent) await deps.sessions.call(id, method, params);
  }
  connection.credentials.set(agent, { methodId, ...(meta ? { _meta: meta } : {}) });
  return {};
};

const logout: Method = async ({ sessions }, { connection, params, method }) => {
  const { sessionId } = params;
  if (typeof sessionId === "string") {
    requireScope(method, connection.caller, "admin");
    return await sessions.call(sessionId, method, params);
  }
  connection.credentials.clear();
  for (const id of led(connection)) await sessions.call(id, method, params);
  return {};
};

function followed({ lanes }: Connection): string[] {
  return [...lanes].filter(([, lane]) => lane.feed !== null).map(([id]) => id);
}

/** The sessions whose agents' credentials the client may change: those of a session are everybody's who uses it. */
const led = (connection: Connection): string[] => (connection.caller.scopes.has("admin") ? followed(connection) : []);

/** Whatever the gateway does not know is the agent's: of the session that is named, or of the last one attached. */
const passOn: Method = async ({ sessions }, call) => {
  const { method, params, connection } = call;
  const named = params["sessionId"];
  const sessionId = typeof named === "string" ? named : followed(connection).at(-1);
  if (sessionId === undefined || method.startsWith("_gateway/")) {
    call.refuse({ code: RPC.methodNotFound, message: `Method not found: ${method}`, data: { method } });
    return undefined;
  }
  return await sessions.call(sessionId, method, params);
};

const METHODS = new Map<string, Method>([
  ["initialize", initialize],
  ["authenticate", authenticate],
  ["logout", logout],
  ["session/new", create],
  ["session/load", load],
  ["session/resume", resume],
  ["session/list", list],
  ["session/close", close],
  ["session/delete", remove],
  ["session/fork", fork],
  ["session/prompt", prompt],
  ["session/set_mode", setMode],
  ["session/set_config_option", setConfigOption],
  ["session/set_title", setTitle],
  ["_gateway/session/attach", attach],
  ["_gateway/session/detach", detach],
]);

export function methodOf(name: string): Method {
  return METHODS.get(name) ?? passOn;
}

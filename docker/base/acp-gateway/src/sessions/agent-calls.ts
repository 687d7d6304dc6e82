import { GatewayError } from "../gateway-error.ts";
import type { JsonObject } from "../wire/index.ts";
import { emit, persist, type SessionContext } from "./context.ts";
import { withAuthMethods } from "./failure.ts";
import type { LiveSession, SetupCall } from "./live-session.ts";
import type { Opening } from "./opening.ts";
import { objectOf, textOf } from "./json.ts";
import type { Settings } from "./settings.ts";

/** What the gateway does itself, and what would pass its queue, log or confinement by. */
const RESERVED = new Set(
  ["new", "load", "resume", "fork", "close", "delete", "list", "prompt", "cancel", "update"].map(
    (name) => `session/${name}`,
  ),
);
/** Calls whose effect is lost with the process: they are made again when it starts. */
const LASTING = new Set(["authenticate", "logout", "providers/set", "providers/disable"]);
const METHOD = /^[A-Za-z_$][A-Za-z0-9_.$/-]{0,127}$/;

type Parts = { context: SessionContext; opening: Opening; settings: Settings };
/** Calls to the agent beside the turn: modes, options, credentials, and methods the gateway does not know. */
export function createAgentCalls({ context, opening, settings }: Parts) {
  async function within<Result>(session: LiveSession, work: () => Promise<Result>): Promise<Result> {
    session.calls += 1;
    try {
      return await work();
    } finally {
      session.calls -= 1;
      session.lastUsedMs = context.now();
    }
  }

  async function target(session: LiveSession) {
    const { lease, agentSessionId } = await opening.ensure(session);
    return { handle: lease.handle, agentSessionId, record: session.record };
  }

  async function changed(session: LiveSession, data: JsonObject): Promise<void> {
    emit(context, session, "session_updated", data);
    persist(context, session);
    await context.log.settled();
  }

  /** Remembers a call for the next process. A later one of its kind takes the place of the earlier. */
  function remember(session: LiveSession, call: SetupCall): void {
    const others = session.record.setup.filter((known) => slotOf(known) !== slotOf(call));
    session.record.setup = call.method === "logout" ? others : [...others, call];
    persist(context, session);
  }

  async function send(session: LiveSession, method: string, params: JsonObject): Promise<JsonObject> {
    const { handle, agentSessionId } = await target(session);
    const own = session.record.id;
    const named = method.startsWith("session/") || params["sessionId"] === own;
    const given = named ? { ...params, sessionId: agentSessionId } : params;
    try {
      const result = await handle.request(method, given, { timeoutMs: context.timing.callMs });
      return result["sessionId"] === agentSessionId ? { ...result, sessionId: own } : result;
    } catch (error) {
      throw withAuthMethods(error, handle);
    }
  }

  /** A session whose agent refuses to open it without credentials is opened with these. */
  async function openWith(session: LiveSession, call: SetupCall): Promise<JsonObject> {
    const before = session.record.setup;
    remember(session, call);
    try {
      await opening.ensure(session);
      return {};
    } catch (error) {
      session.record.setup = before;
      persist(context, session);
      throw error;
    }
  }

  return {
    setMode: (session: LiveSession, modeId: string) =>
      within(session, async () => {
        await settings.setMode(await target(session), modeId);
        await changed(session, { modes: session.record.modes });
      }),

    setConfig: (session: LiveSession, configId: string, value: string | boolean) =>
      within(session, async () => {
        await settings.setConfig(await target(session), configId, value);
        await changed(session, { configOptions: session.record.configOptions });
      }),

    /** @throws GatewayError not_supported for a method that is the gateway's own */
    call: (session: LiveSession, method: string, params: JsonObject): Promise<JsonObject> =>
      within(session, async () => {
        checkMethod(session, method, params);
        const setup = { method, params };
        if (LASTING.has(method) && method !== "logout" && !session.connection) return openWith(session, setup);
        const result = await send(session, method, params);
        if (LASTING.has(method)) remember(session, setup);
        await context.log.settled();
        return result;
      }),
  };
}

const slotOf = ({ method, params }: SetupCall): string =>
  method.startsWith("providers/") ? `provider ${textOf(params["providerId"])}` : "authenticate";

function checkMethod(session: LiveSession, method: string, params: JsonObject): void {
  if (!METHOD.test(method))
    throw new GatewayError("invalid_request", "method: give the name of a method of the protocol");
  if (method === "initialize" || method.startsWith("$/") || RESERVED.has(method)) {
    throw new GatewayError("not_supported", `${method} is the gateway's own; use its route for that`);
  }
  if (method !== "authenticate") return;
  const methods = session.connection?.lease.handle.initialized["authMethods"];
  const known = Array.isArray(methods) ? methods.map(objectOf).find(({ id }) => id === params["methodId"]) : undefined;
  if (known?.["type"] === "terminal") {
    throw new GatewayError("not_supported", "this login is done in a terminal: open one with this authMethod");
  }
}

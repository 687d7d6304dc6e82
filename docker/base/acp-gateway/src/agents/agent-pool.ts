import { createAcpClient } from "../acp-client.ts";
import { GatewayError } from "../gateway-error.ts";
import type { AgentEntry, AgentExit, AgentHandle, StartAgent } from "../types.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { JsonObject } from "../wire/index.ts";
import type { AgentCounters } from "./counters.ts";
import { exitError } from "./exit-error.ts";
import { createFailureGuard, type FailureGuard, type FailureTiming } from "./failure-guard.ts";
import { shakeHands } from "./handshake.ts";
import type { createLauncher, Launched } from "./launcher.ts";

type AgentPoolDeps = {
  launcher: ReturnType<typeof createLauncher>;
  counters: AgentCounters;
  /** The gateway's version, which agents are told. */
  version: string;
  startMs: number;
  failures: FailureTiming;
  now: () => number;
  log: (message: string, fields?: Record<string, unknown>) => void;
  /** Hears every result of `initialize`. */
  onInitialized: (agentId: string, result: JsonObject) => void;
};

type Running = Launched & { client: ReturnType<typeof createAcpClient>; initialized: JsonObject };

/** Processes by what they are for. `shares` are the keys that hold one, or wait for it; `start` ends its start. */
type Place = { running: Promise<Running>; shares: Map<string, AgentHandle | null>; start: AbortController };

/** Agents that run and are initialized: one process for each key, or for all that may share one. */
export function createAgentPool(deps: AgentPoolDeps) {
  const { launcher, counters, version, startMs, failures, now, log, onInitialized } = deps;
  const places = new Map<string, Place>();
  const guards = new Map<string, FailureGuard>();

  function guardOf(agentId: string): FailureGuard {
    const guard = guards.get(agentId) ?? createFailureGuard({ ...failures, agentId, now });
    guards.set(agentId, guard);
    return guard;
  }

  async function begin(entry: AgentEntry, options: StartAgent & { signal: AbortSignal }): Promise<Running> {
    const { signal } = options;
    const guard = guardOf(entry.id);
    guard.check();
    const delay = guard.delayMs();
    if (delay > 0) await unlessAborted(Bun.sleep(delay), signal);
    let client: Running["client"] | undefined;
    const launched = await launcher
      .launch(entry, options, (block) => client?.readBlock(block))
      .catch((error: unknown) => {
        const isExit = error instanceof GatewayError && error.code === "agent_exited";
        if (isExit && !signal.aborted) fail(guard, entry.id, error);
        throw error;
      });
    const { process, redactor } = launched;
    client = createAcpClient({ agentId: entry.id, redactor, counters, send: process.send, log });
    void process.exited.then((exit) => client.fail(exitError(entry.id, exit, process.errorCode())));
    try {
      const initialized = await shakeHands(client, { entry, version, timeoutMs: startMs, signal });
      onInitialized(entry.id, initialized);
      void process.exited.then((exit) => ended(guard, launched, exit));
      return { ...launched, client, initialized };
    } catch (error) {
      const exit = await Promise.race([process.exited, Promise.resolve(null)]);
      if (!exit?.asked && !signal.aborted) fail(guard, entry.id, error);
      if (exit === null) await process.kill();
      throw withStderr(error, await process.exited);
    }
  }

  function fail(guard: FailureGuard, agentId: string, error: unknown): void {
    guard.failed();
    counters.startsFailed += 1;
    log("an agent could not be started", {
      agent: agentId,
      code: error instanceof GatewayError ? error.code : "internal",
    });
  }

  function ended(guard: FailureGuard, { agentId, process }: Launched, exit: AgentExit): void {
    if (exit.asked) return;
    guard.failed();
    counters.crashes += 1;
    const { code, signal, reason } = exit;
    log("an agent ended unasked", { agent: agentId, pid: process.pid, code, signal, reason });
  }

  function handleOf(id: string, place: Place, key: string, running: Running): AgentHandle {
    const { process, client, initialized, agentId } = running;
    return {
      pid: process.pid,
      agentId,
      initialized,
      request: (method, params, requestOptions) => client.request(method, params, requestOptions),
      notify: (method, params) => client.notify(method, params),
      attach: client.attach,
      exited: process.exited,
      stop({ atOnce = false } = {}) {
        place.shares.delete(key);
        if (place.shares.size > 0) return Promise.resolve({ code: null, signal: null, stderrTail: "", asked: true });
        remove(id, place);
        return atOnce ? process.kill() : process.stop();
      },
      kill: () => process.kill(),
    };
  }

  function remove(id: string, place: Place): void {
    if (places.get(id) === place) places.delete(id);
  }

  function open(id: string, entry: AgentEntry, options: StartAgent): Place {
    const start = new AbortController();
    const place: Place = { running: begin(entry, { ...options, signal: start.signal }), shares: new Map(), start };
    places.set(id, place);
    const free = () => remove(id, place);
    place.running.then(({ process }) => process.exited.then(free), free);
    return place;
  }

  /** A key waits no longer; the start goes on only for others that do. */
  function giveUp(id: string, place: Place, key: string, reason: unknown): void {
    if (place.shares.get(key) === null) place.shares.delete(key);
    if (place.shares.size > 0) return;
    remove(id, place);
    place.start.abort(reason);
  }

  return {
    async start(entry: AgentEntry, options: StartAgent): Promise<AgentHandle> {
      options.signal?.throwIfAborted();
      const id = placeOf(entry, options);
      const place = places.get(id) ?? open(id, entry, options);
      if (!place.shares.has(options.key)) place.shares.set(options.key, null);
      const running = await unlessAborted(place.running, options.signal).catch((error: unknown) => {
        giveUp(id, place, options.key, error);
        throw error;
      });
      const handle = place.shares.get(options.key) ?? handleOf(id, place, options.key, running);
      place.shares.set(options.key, handle);
      return handle;
    },

    guardOf,
  };
}

/** Those who may share a process have the same place: their folder and environment make it. */
function placeOf(entry: AgentEntry, { key, cwd, env }: StartAgent): string {
  if (entry.process === "session") return `${entry.id} ${key}`;
  const variables = Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${entry.id} ${JSON.stringify([cwd, variables])}`;
}

/** An agent that hangs in its start has often said on stderr why. */
function withStderr(error: unknown, exit: AgentExit): unknown {
  if (!(error instanceof GatewayError) || error.code !== "agent_timeout") return error;
  const said = exit.stderrTail.trim().slice(-2000);
  return said === "" ? error : new GatewayError(error.code, `${error.message}; it said: ${said}`, error.details);
}

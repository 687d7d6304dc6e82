import type { GatewayError } from "../gateway-error.ts";
import type { AgentHandle } from "../types.ts";
import type { SessionContext } from "./context.ts";

/** An agent on its way up for a session. It may never answer, so whoever waits must be able to give it up. */
export type Start<Result> = {
  /** Rejects with the reason when the start was given up. */
  done: Promise<Result>;
  isAbandoned: () => boolean;
  /** Resolves when nothing of the start goes on. */
  abandon: (reason: GatewayError) => Promise<void>;
};

/** Begins a start, which the end of the gateway gives up too. `work` ends soon after its signal is aborted. */
export function beginStart<Result>(
  context: SessionContext,
  work: (signal: AbortSignal) => Promise<Result>,
): Start<Result> {
  const { starts } = context;
  const controller = new AbortController();
  const { signal } = controller;

  async function run(): Promise<Result> {
    try {
      return await work(signal);
    } catch (error) {
      // What it met because it was given up is not what it failed of.
      signal.throwIfAborted();
      throw error;
    } finally {
      starts.delete(start);
    }
  }

  const start: Start<Result> = {
    done: Promise.resolve().then(run),
    isAbandoned: () => signal.aborted,
    async abandon(reason) {
      controller.abort(reason);
      await start.done.catch(() => {});
    },
  };
  starts.add(start);
  return start;
}

/** The agent, with its requests ended when the start is given up. */
export const duringStart = (handle: AgentHandle, signal: AbortSignal): AgentHandle => ({
  ...handle,
  request: (method, params, options) => handle.request(method, params, { ...options, signal }),
});

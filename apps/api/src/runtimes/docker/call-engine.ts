import { RuntimeError } from "../runtime.ts";
import { statusOf, toRuntimeError } from "./engine-error.ts";

/** An engine that takes longer for an ordinary question is stuck. */
const TIMEOUT_MS = 30_000;

export interface EngineCall<Otherwise> {
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Kept out of every message. */
  secrets?: readonly string[];
  /** What to answer, by HTTP status, where that status is no failure. */
  otherwise?: Readonly<Record<number, Otherwise>>;
}

/**
 * Asks the engine once, for a bounded time.
 * @param doing what is tried, for the message: `starting the sandbox`
 * @throws RuntimeError for everything an engine can do wrong; `timeout` when the time is over or `signal` aborts
 */
export async function callEngine<Answer, Otherwise = never>(
  doing: string,
  call: (abortSignal: AbortSignal) => Promise<Answer>,
  options: EngineCall<Otherwise> = {},
): Promise<Answer | Otherwise> {
  const { signal, timeoutMs = TIMEOUT_MS, secrets = [], otherwise = {} } = options;
  const limit = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (message: string) => {
    // Some calls take no signal: those are left behind, and their answers go nowhere.
    reject(new RuntimeError("timeout", message));
    limit.abort();
  };
  const onAbort = () => end(`${doing}: broken off`);
  const timer = setTimeout(() => end(`${doing}: no answer of the Docker engine in ${timeoutMs} ms`), timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal?.aborted) throw new RuntimeError("timeout", `${doing}: broken off`);
    return await Promise.race([call(limit.signal), ended]);
  } catch (error) {
    const status = statusOf(error);
    const instead = status === null ? undefined : otherwise[status];
    if (instead !== undefined) return instead;
    throw toRuntimeError(error, doing, secrets);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

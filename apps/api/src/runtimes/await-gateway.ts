import { setTimeout as sleep } from "node:timers/promises";
import { askGateway } from "./ask-gateway.ts";
import { RuntimeError } from "./runtime.ts";

const POLL_MS = 25;
/** A sandbox that is not up after this long is a slow one: it is asked less often. */
const BRISK_MS = 2_000;
const SLOW_POLL_MS = 100;
/** The first tries are short, so that a connection nobody accepts does not cost the start; later ones suit a busy host. */
const TRY_MS = { first: 250, max: 2_000 };
const ALIVE_EVERY_MS = 100;

export interface AwaitGatewayOptions {
  /** Such as `http://127.0.0.1:20001`. Asked directly, never through a proxy. */
  baseUrl: string;
  /** Secret; no error has it. */
  token: string;
  projectId: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Why the sandbox has ended; null while it runs. A RuntimeError it throws ends the wait as it is. */
  alive?: () => Promise<string | null>;
}

/**
 * Waits until the gateway of this very project answers.
 * @throws RuntimeError `not_healthy` after `timeoutMs`, `sandbox_exited` when `alive` gives a reason,
 * `port_conflict` when something else listens there, `timeout` when `signal` aborts.
 */
export async function awaitGateway(options: AwaitGatewayOptions): Promise<void> {
  const { baseUrl, projectId, timeoutMs, signal, alive } = options;
  const startedAt = performance.now();
  let tryMs = TRY_MS.first;
  let aliveAskedAt = -ALIVE_EVERY_MS;
  let saw: string | undefined;
  for (;;) {
    failWhenAborted(signal);
    const leftMs = timeoutMs - (performance.now() - startedAt);
    const answer = await askGateway({ ...options, timeoutMs: Math.max(1, Math.min(tryMs, leftMs)) });
    const isCutShort = answer.kind === "timeout" && leftMs < tryMs;
    const elapsedMs = performance.now() - startedAt;
    const pauseMs = elapsedMs < BRISK_MS ? POLL_MS : SLOW_POLL_MS;
    const isLast = elapsedMs + pauseMs >= timeoutMs;
    failWhenAborted(signal);
    if (answer.kind === "info" && answer.projectId === projectId) return;
    if (answer.kind === "info" || answer.kind === "refused_token") throw portConflict(baseUrl);
    // A last try with next to no time left tells less than the one before.
    if (saw === undefined || !isCutShort) saw = answer.saw;
    if (alive && (isLast || elapsedMs - aliveAskedAt >= ALIVE_EVERY_MS)) {
      aliveAskedAt = elapsedMs;
      const reason = await alive();
      if (reason !== null) throw new RuntimeError("sandbox_exited", reason);
    }
    if (isLast) {
      throw new RuntimeError("not_healthy", `the gateway did not answer within ${timeoutMs} ms; the last try: ${saw}`);
    }
    if (answer.kind === "timeout") tryMs = Math.min(tryMs * 2, TRY_MS.max);
    // An abort is told apart at the top of the loop.
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function failWhenAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RuntimeError("timeout", "stopped waiting for the gateway", { cause: signal.reason });
}

function portConflict(baseUrl: string): RuntimeError {
  return new RuntimeError(
    "port_conflict",
    `something other than this project's gateway listens on port ${new URL(baseUrl).port} of this host`,
  );
}

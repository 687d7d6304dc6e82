import type { ClientRequest } from "node:http";
import { setImmediate } from "node:timers/promises";

/** Below, a body is sent sooner than it is asked for. */
const LONG_BYTES = 1024 * 1024;
/** Who knows nothing of being asked gets the body then. */
const WAIT_MS = 1_000;

/** Whether a body of this announced length is sent only when the gateway is ready to take it. */
export const isLong = (contentLength: string | null): boolean => Number(contentLength) > LONG_BYTES;

/**
 * Resolves when a call that expects `100-continue` is to send its body, or never will. A gateway that refuses
 * a length closes the connection, on which what was sent meanwhile could keep its answer from being read.
 */
export async function goAhead(call: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, WAIT_MS);
  for (const event of ["continue", "response", "close"]) call.once(event, () => resolve());
  call.flushHeaders();
  await promise;
  clearTimeout(timer);
  // The go-ahead and a refusal may come at once.
  await setImmediate();
}

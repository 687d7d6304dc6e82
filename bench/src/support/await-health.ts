const PAUSE_MS = 5;
const TRY_MS = 250;
const TIMEOUT_MS = 60_000;

/** Asks `url` every few milliseconds until it answers with success. */
export async function awaitHealth(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    if (await answers(url)) return;
    if (performance.now() > deadline) throw new Error(`${url} is not healthy after ${TIMEOUT_MS} ms`);
    await Bun.sleep(PAUSE_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS), keepalive: false });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Not there yet.
    return false;
  }
}

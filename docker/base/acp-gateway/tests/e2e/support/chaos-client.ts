import type { GatewayEvent } from "../../../src/wire/index.ts";
import { readEvents } from "../../support/sse.ts";

/** A sequence that is the same for the same seed. */
export function dice(seed: number) {
  let state = seed % 2_147_483_647 || 1;
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

export type Told = Pick<GatewayEvent, "seq" | "type" | "promptId">;

/** Reads one session's events as a browser does: comes back with the last number it had, until told to stop. */
export function follow(connect: (after: number, signal: AbortSignal) => Promise<Response>) {
  const events: Told[] = [];
  const stop = new AbortController();
  let gone = false;
  async function run(): Promise<void> {
    while (!stop.signal.aborted && !gone) {
      try {
        const response = await connect(events.at(-1)?.seq ?? 0, stop.signal);
        gone = response.status === 404;
        await readEvents(response, ({ data }) => {
          events.push(data);
          return data.type === "session_deleted";
        });
      } catch {
        // The gateway was killed, or the test ends.
      }
      await Bun.sleep(20);
    }
  }
  const ended = run();
  return {
    events,
    async stop(): Promise<void> {
      stop.abort();
      await ended;
    },
  };
}

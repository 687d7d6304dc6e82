import type { GatewayEvent } from "@agentpod/acp-gateway/wire";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { GatewayClientError } from "./error.ts";
import type { Transport } from "./transport.ts";

export type FollowOptions = {
  /** Seq of the last event already known; absent: from the beginning. */
  after?: number;
  types?: readonly string[];
  /** Ends once everything is given and no prompt runs or waits. */
  until?: "idle";
  signal?: AbortSignal;
  /** Pause before the first new try after a lost connection; it doubles up to 30 s. Default: 500 ms. */
  retryMs?: number;
};

const RETRY_MS_MAX = 30_000;

/**
 * Every event after `after`, in order and once, over lost connections and restarts of the gateway. A `gap` event tells
 * what retention has removed. Ends on abort, with `until`, or when the session is deleted.
 * @throws GatewayClientError when the gateway refuses (401, 403, 404, …); a lost connection is no error.
 */
export async function* followEvents(
  transport: Transport,
  path: string,
  options: FollowOptions,
): AsyncGenerator<GatewayEvent> {
  const { types, until, retryMs = 500 } = options;
  const done = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, done.signal]) : done.signal;
  let after = options.after ?? 0;
  let pause = retryMs;
  try {
    while (!signal.aborted) {
      try {
        const query = { types: types?.join(","), until };
        const headers = { accept: "text/event-stream", "last-event-id": String(after) };
        const { body } = await transport.open(path, { query, headers, signal });
        if (!body) throw new GatewayClientError("not_a_gateway", "the event stream has no body");
        for await (const { data } of body
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream())) {
          const event: GatewayEvent = JSON.parse(data);
          after = event.seq;
          pause = retryMs;
          yield event;
          if (event.type === "session_deleted" && path !== "/v1/events") return;
        }
        if (until) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof GatewayClientError && !isPassing(error)) throw error;
      }
      await sleep(pause, signal);
      pause = Math.min(pause * 2, RETRY_MS_MAX);
    }
  } finally {
    done.abort();
  }
}

/** Of what passes by itself: no answer, a restart, a full house. */
const isPassing = ({ status }: GatewayClientError) => status === null || status === 429 || status >= 502;

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    }
    if (signal.aborted) finish();
    else signal.addEventListener("abort", finish, { once: true });
  });
}

import { answerBody, isRecord, type Recorded } from "./recorded.ts";

/** What the replay server received. */
export interface Received {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
}

/**
 * A server that gives the recorded answer of the exchange it is set to, whatever it is asked, and keeps what it was
 * asked. The recording shows of some answers only the fields of interest; those are laid over the whole answer that was
 * recorded first for the same route.
 */
export function startReplayServer(exchanges: readonly Recorded[]) {
  const whole = wholeAnswers(exchanges);
  let current: Recorded | null = null;
  let received: Received[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const url = new URL(request.url);
      const text = await request.text();
      received.push({
        method: request.method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: Object.fromEntries(request.headers),
        body: text === "" ? undefined : JSON.parse(text),
      });
      if (current === null) return new Response(null, { status: 500 });
      return answer(current, whole);
    },
  });
  return {
    url: server.url.origin,
    /** Sets what is answered from now on, and forgets what was received. */
    play(exchange: Recorded): void {
      current = exchange;
      received = [];
    },
    received: () => received,
    close: () => server.stop(true),
  };
}

function answer(exchange: Recorded, whole: Map<string, unknown>): Response {
  const headers = new Headers(exchange.response_headers);
  const body = answerBody(exchange);
  const key = `${exchange.method} ${exchange.route}`;
  const completed = exchange.status < 300 ? complete(body, whole.get(key)) : body;
  return new Response(typeof completed === "string" ? completed : JSON.stringify(completed), {
    status: exchange.status,
    headers,
  });
}

/** Lays what was recorded of an answer over the whole one; of a shortened list the notes fall away. */
function complete(body: unknown, whole: unknown): unknown {
  if (Array.isArray(body)) {
    const first: unknown = Array.isArray(whole) ? whole[0] : undefined;
    return body.filter(isRecord).map((item) => complete(item, first));
  }
  if (!isRecord(body)) return body;
  const { _trimmed: _, ...shown } = body;
  // Deployment logs were recorded decoded, first and last lines; Coolify sends the array as a string.
  const { logs } = shown;
  if (isRecord(logs) && Array.isArray(logs["first"]) && Array.isArray(logs["last"])) {
    shown["logs"] = JSON.stringify([...logs["first"], ...logs["last"]]);
  }
  return isRecord(whole) && Object.keys(shown).length < Object.keys(whole).length ? { ...whole, ...shown } : shown;
}

/** The longest recorded success of each route is a whole one. */
function wholeAnswers(exchanges: readonly Recorded[]): Map<string, unknown> {
  const whole = new Map<string, unknown>();
  for (const exchange of exchanges.filter(({ status }) => status < 300)) {
    const key = `${exchange.method} ${exchange.route}`;
    const size = (value: unknown) => JSON.stringify(value ?? null).length;
    const candidate = exchange.response_json;
    if (size(candidate) > size(whole.get(key)) && !JSON.stringify(candidate).includes("_trimmed")) {
      whole.set(key, candidate);
    }
  }
  const application = whole.get("GET /applications/{id}");
  whole.set("GET /applications", [application]);
  return whole;
}

import type { JsonObject } from "../../../src/wire/index.ts";
import { INITIALIZE, type Message } from "./socket-client.ts";
import { TOKENS } from "./tokens.ts";

const AUTHORIZED = { authorization: `Bearer ${TOKENS.main}` };

/** A stream of server-sent events, kept as it comes. */
async function openStream(url: string, headers: Record<string, string>) {
  const stop = new AbortController();
  const response = await fetch(url, {
    headers: { ...AUTHORIZED, accept: "text/event-stream", ...headers },
    signal: stop.signal,
  });
  const messages: Message[] = [];
  let comments = 0;
  let wake = () => {};

  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk, { stream: true });
      for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
        const event = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (event.startsWith("data: ")) messages.push(JSON.parse(event.slice(6)));
        else comments += 1;
      }
      wake();
    }
  }
  const ended = read().catch(() => undefined);

  return {
    status: response.status,
    messages,
    get comments() {
      return comments;
    },
    ended,
    async next(is: (message: Message) => boolean, ms = 10_000): Promise<Message> {
      const deadline = Date.now() + ms;
      for (;;) {
        const found = messages.find(is);
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`no such message among ${JSON.stringify(messages.slice(-5))}`);
        await Promise.race([Bun.sleep(100), new Promise<void>((resolve) => (wake = resolve))]);
      }
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** A client of Streamable HTTP that has said who it is and reads the connection's stream. */
export async function connectStreams(url: string) {
  let ids = 100;
  const type = { ...AUTHORIZED, "content-type": "application/json" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE });
  const answer = await fetch(url, { method: "POST", headers: type, body });
  const id = answer.headers.get("acp-connection-id") ?? "";
  const connection = await openStream(url, { "acp-connection-id": id });
  const open = (sessionId: string) => openStream(url, { "acp-connection-id": id, "acp-session-id": sessionId });

  const client = {
    id,
    connection,
    ended: connection.ended,
    open,
    /** Opens a session's stream as soon as the gateway has seen that the last reader left. */
    async openSoon(sessionId: string) {
      for (;;) {
        const stream = await open(sessionId);
        if (stream.status !== 409) return stream;
        await Bun.sleep(10);
      }
    },
    post: (message: unknown, sessionId?: string) =>
      fetch(url, {
        method: "POST",
        headers: { ...type, "acp-connection-id": id, ...(sessionId ? { "acp-session-id": sessionId } : {}) },
        body: JSON.stringify(message),
      }),
    /** Asks for something that is answered on the connection's stream. */
    async call(method: string, params: JsonObject): Promise<JsonObject> {
      ids += 1;
      const requestId = ids;
      await client.post({ jsonrpc: "2.0", id: requestId, method, params });
      const { result, error } = await connection.next((message) => message.id === requestId);
      if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
      return result;
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
  return client;
}

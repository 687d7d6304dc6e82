import { chatCompletions } from "./chat-completions.ts";
import { generateContent } from "./generate-content.ts";
import { object } from "./json.ts";
import { messages } from "./messages.ts";
import type { Protocol } from "./protocol.ts";
import { responses } from "./responses.ts";
import { replyTo } from "./script.ts";

const MODEL = "scripted-model";

type Options = { port?: number; chunkMs?: number };

/**
 * A model server on loopback without a model, for real agents: it speaks OpenAI's chat/completions
 * and responses, Anthropic's messages and Google's generateContent, and follows the script in the
 * prompt (see `replyTo`). Stopped with the returned object.
 */
export function startModelServer({ port = 0, chunkMs = 2 }: Options = {}) {
  const asked: { path: string; authorization: string | null }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push({ path: pathname, authorization: keyOf(request.headers) });
      if (/\/count_?tokens$/i.test(pathname)) return Response.json({ input_tokens: 100, totalTokens: 100 });
      if (pathname.endsWith("/models"))
        return Response.json({ object: "list", data: [{ id: MODEL, object: "model" }] });
      const found = protocolOf(pathname);
      if (!found) return Response.json({ error: { message: `nothing at ${pathname}` } }, { status: 404 });
      const body = object(await request.json().catch(() => ({})));
      const reply = replyTo(found.protocol.read(body));
      if (!(found.streams ?? body["stream"] === true)) return Response.json(found.protocol.whole(reply, body));
      return new Response(paced(found.protocol.stream(reply, body), chunkMs), {
        headers: { "content-type": "text/event-stream" },
      });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    model: MODEL,
    /** Every request so far: its path, and the key it was sent with. */
    asked: asked as readonly { path: string; authorization: string | null }[],
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function protocolOf(path: string): { protocol: Protocol; streams?: boolean } | undefined {
  if (path.endsWith("/chat/completions")) return { protocol: chatCompletions };
  if (path.endsWith("/responses")) return { protocol: responses };
  if (path.endsWith("/messages")) return { protocol: messages };
  if (path.endsWith(":streamGenerateContent")) return { protocol: generateContent, streams: true };
  if (path.endsWith(":generateContent")) return { protocol: generateContent, streams: false };
  return undefined;
}

const keyOf = (headers: Headers): string | null =>
  headers.get("authorization") ?? headers.get("x-api-key") ?? headers.get("x-goog-api-key");

function paced(pieces: Iterable<string>, chunkMs: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = iterator.next();
      if (done === true) return controller.close();
      if (chunkMs > 0) await Bun.sleep(chunkMs);
      controller.enqueue(encoder.encode(value));
    },
  });
}

export type ModelServer = ReturnType<typeof startModelServer>;

// The limit of what a gateway can reach: an agent's lines as server-sent events, unread, unnumbered and
// kept nowhere. GET / streams them, POST / takes a line for the agent. Arguments: port, the agent's command.
const [port, ...command] = process.argv.slice(2);
const agent = Bun.spawn(command, { stdio: ["pipe", "pipe", "inherit"] });
const readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
const encoder = new TextEncoder();

function stream(): Response {
  let reader: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      reader = controller;
      readers.add(reader);
      reader.enqueue(encoder.encode(": ok\n\ndata: "));
    },
    cancel: () => void readers.delete(reader),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 0,
  async fetch(request) {
    if (request.url.endsWith("/health")) return new Response("ok");
    if (request.method === "GET") return stream();
    void agent.stdin.write(`${await request.text()}\n`);
    await agent.stdin.flush();
    return new Response(null, { status: 202 });
  },
});

async function follow(): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of agent.stdout) {
    const frames = encoder.encode(decoder.decode(chunk, { stream: true }).replaceAll("\n", "\n\ndata: "));
    for (const reader of readers) reader.enqueue(frames);
  }
}

void follow();

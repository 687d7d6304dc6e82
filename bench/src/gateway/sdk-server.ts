import { client, ndJsonStream } from "@agentclientprotocol/sdk";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

// What the official client and a web framework make of it: an event for each update. GET / streams them,
// POST / begins a turn with the text in its body. Arguments: port, the agent's command.
const [port, ...command] = process.argv.slice(2);
const child = Bun.spawn(command, { stdio: ["pipe", "pipe", "inherit"] });
const stdin = new WritableStream<Uint8Array>({
  async write(chunk) {
    void child.stdin.write(chunk);
    await child.stdin.flush();
  },
});

type Reader = { queue: string[]; wake: () => void };
const readers = new Set<Reader>();

const app = client({}).onNotification("session/update", ({ params }) => {
  const data = JSON.stringify(params);
  for (const { queue, wake } of readers) {
    queue.push(data);
    wake();
  }
});

await app.connectWith(ndJsonStream(stdin, child.stdout), async (agent) => {
  await agent.request("initialize", { protocolVersion: 1, clientCapabilities: {} });
  const { sessionId } = await agent.request("session/new", { cwd: "/tmp", mcpServers: [] });
  const routes = new Hono();
  routes.get("/health", (context) => context.text("ok"));
  routes.get("/", (context) =>
    streamSSE(context, async (stream) => {
      const reader: Reader = { queue: [], wake: () => undefined };
      readers.add(reader);
      stream.onAbort(() => {
        readers.delete(reader);
        reader.wake();
      });
      await stream.write(": ok\n\n");
      for (let id = 1; !stream.aborted;) {
        const events = reader.queue;
        reader.queue = [];
        for (const data of events) await stream.writeSSE({ id: String(id++), event: "update", data });
        if (reader.queue.length === 0) await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    }),
  );
  routes.post("/", async (context) => {
    const text = await context.req.text();
    void agent.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
    return context.body(null, 202);
  });
  Bun.serve({ hostname: "127.0.0.1", port: Number(port), idleTimeout: 0, fetch: routes.fetch });
  await child.exited;
});

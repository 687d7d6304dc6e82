import { createHash } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { startServer } from "./support/start-server.ts";

const COUNT = 200_000;
const MiB = 1024 * 1024;

/** Takes whole frames out of a stream, as a client does that remembers the last one's number. */
function createClient() {
  const hash = createHash("sha256");
  let rest = "";
  let decoder = new TextDecoder();
  const client = {
    position: 0,
    count: 0,
    connections: 0,
    read(chunk: Uint8Array): void {
      rest += decoder.decode(chunk, { stream: true });
      const end = rest.lastIndexOf("\n\n") + 2;
      if (end < 2) return;
      const whole = rest.slice(0, end).replaceAll(/(?:^|(?<=\n)):[^\n]*\n\n/g, "");
      rest = rest.slice(end);
      if (whole === "") return;
      hash.update(whole);
      client.count += whole.split("\n\n").length - 1;
      const last = `\n${whole}`.lastIndexOf("\nid: ");
      client.position = Number(whole.slice(last + 4, whole.indexOf("\n", last)));
    },
    connect(): void {
      client.connections += 1;
      rest = "";
      decoder = new TextDecoder();
    },
    digest: () => hash.digest("hex"),
  };
  return client;
}

type Client = ReturnType<typeof createClient>;
type Server = Awaited<ReturnType<typeof startServer>>;

/** Reads until event `last`, with a connection for each `connectionMs` and a rest after each chunk. */
async function follow(
  server: Server,
  last: number,
  { connectionMs, restMs }: { connectionMs?: number; restMs?: number },
) {
  const client: Client = createClient();
  while (client.position < last) {
    const stop = new AbortController();
    client.connect();
    const timer = connectionMs === undefined ? undefined : setTimeout(() => stop.abort(), connectionMs);
    try {
      const { body } = await server.events(client.position, stop.signal);
      for await (const chunk of body ?? []) {
        client.read(chunk);
        if (client.position >= last) break;
        if (restMs !== undefined) await Bun.sleep(restMs);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    clearTimeout(timer);
    stop.abort();
  }
  return client;
}

describe("200,000 updates", () => {
  test("reach three readers alike, one slow and one that comes back again and again, within 150 MB", async () => {
    await using server = await startServer();
    const steady = follow(server, COUNT, {});
    const slow = follow(server, COUNT, { restMs: 4 });
    const returning = follow(server, COUNT, { connectionMs: 150 });
    const watch = setInterval(() => void server.memory(), 100);
    expect(await server.write(COUNT, 60)).toBe(COUNT);
    const clients = await Promise.all([steady, slow, returning]);
    await server.memory();
    clearInterval(watch);
    expect(clients.map(({ count }) => count)).toEqual([COUNT, COUNT, COUNT]);
    expect(new Set(clients.map(({ digest }) => digest())).size).toBe(1);
    expect(clients[2]?.connections).toBeGreaterThan(2);
    expect(server.rssMax() / MiB).toBeLessThan(150);
  }, 90_000);

  test("cost little memory while a reader stands still, and it has all of them when it goes on", async () => {
    await using server = await startServer();
    await server.write(1, 60);
    const before = (await server.memory()).rss;
    // Sockets that ask and then take nothing from the system's buffers.
    const { promise: everything, resolve } = Promise.withResolvers<number>();
    let events = 0;
    let rest = "";
    const sockets = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        Bun.connect({
          hostname: "127.0.0.1",
          port: server.port,
          socket: {
            open(socket) {
              socket.write("GET /events?after=0 HTTP/1.1\r\nhost: localhost\r\n\r\n");
              socket.pause();
            },
            data(_socket, chunk) {
              if (index > 0) return;
              const text = rest + chunk.toString("latin1");
              events += text.split("\nevent: ").length - 1;
              rest = text.slice(-7);
              if (text.includes(`"seq":${COUNT + 1},`)) resolve(events);
            },
          },
        }),
      ),
    );
    await server.write(COUNT, 60);
    const { rss, open } = await server.memory();
    expect(open).toBe(8);
    // Of each up to 4 MB wait in the server's own buffers.
    expect((rss - before) / MiB).toBeLessThan(8 * 4 + 60);
    sockets[0]?.resume();
    expect(await everything).toBe(COUNT + 1);
    for (const socket of sockets) socket.terminate();
  }, 60_000);
});

import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/wire/index.ts";
import { until } from "../support/gateway.ts";
import { connectStreams } from "./support/http-client.ts";
import { startAcpServer } from "./support/server.ts";
import { connectSocket, INITIALIZE, initialized, seqOf, textOf } from "./support/socket-client.ts";
import { connectTcp, UPGRADE } from "./support/tcp-client.ts";

const request = (id: number, method: string, params: JsonObject) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const flood = (count: number) => [{ type: "text", text: `flood ${count} 1000` }];
/** What a client that reads nothing has the operating system hold, and much more. */
const TOO_MUCH = 20_000;

describe("clients that do not keep up", () => {
  test("a socket that reads nothing is closed after the stall, and the session and its other client go on", async () => {
    await using server = await startAcpServer({ socketBytes: 256 * 1024, stallMs: 400 });
    using reader = await initialized(server.url);
    const id = textOf(await reader.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using stuck = await connectTcp(server.url, UPGRADE);
    await stuck.until("101 Switching");
    stuck.frame(request(1, "initialize", INITIALIZE));
    await stuck.until('"id":1');
    stuck.frame(request(2, "session/resume", { sessionId: id, cwd: server.folder }));
    await stuck.until('"id":2');
    stuck.socket.pause();
    const turn = await reader.call("session/prompt", { sessionId: id, prompt: flood(TOO_MUCH) });
    expect(turn).toMatchObject({ stopReason: "end_turn" });
    expect(reader.frames.filter(({ method }) => method === "session/update").length).toBeGreaterThanOrEqual(TOO_MUCH);
    await until(() => server.counts().connections === 1);
    stuck.socket.resume();
    await stuck.ended;
    // Most of the session never was in memory for this client.
    expect(stuck.bytes).toBeLessThan(TOO_MUCH * 1000);
    expect(await reader.call("session/list", {})).toMatchObject({ sessions: [{ sessionId: id }] });
  }, 30_000);

  test("a stream that reads nothing ends its connection after the stall", async () => {
    await using server = await startAcpServer({ pingMs: 50, stallMs: 400 });
    using client = await connectStreams(server.url);
    const id = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using stuck = await connectTcp(server.url, {
      accept: "text/event-stream",
      "acp-connection-id": client.id,
      "acp-session-id": id,
    });
    await stuck.until("200 OK");
    stuck.socket.pause();
    await client.post(JSON.parse(request(2, "session/prompt", { sessionId: id, prompt: flood(TOO_MUCH) })), id);
    await client.ended;
    expect(server.counts().connections).toBe(0);
    stuck.socket.resume();
    await stuck.ended;
    expect(stuck.bytes).toBeLessThan(TOO_MUCH * 1000);
  }, 30_000);

  test("a slow socket misses nothing", async () => {
    await using server = await startAcpServer({ socketBytes: 64 * 1024, stallMs: 5000 });
    using reader = await initialized(server.url);
    const id = textOf(await reader.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using slow = await connectTcp(server.url, UPGRADE);
    await slow.until("101 Switching");
    slow.frame(request(1, "initialize", INITIALIZE));
    await slow.until('"id":1');
    slow.frame(request(2, "session/resume", { sessionId: id, cwd: server.folder }));
    await slow.until('"id":2');
    const turn = reader.call("session/prompt", { sessionId: id, prompt: flood(TOO_MUCH) });
    for (let ended = false; !ended;) {
      slow.socket.pause();
      await Bun.sleep(20);
      slow.socket.resume();
      ended = await Promise.race([turn.then(() => true), Bun.sleep(2).then(() => false)]);
    }
    const last = reader.frames.findLast(({ method }) => method === "session/update");
    if (!last) throw new Error("no update");
    slow.socket.resume();
    await slow.until(`"seq":${seqOf(last)}}`);
    expect(slow.bytes).toBeGreaterThan(TOO_MUCH * 1000);
  }, 30_000);

  test("a client that asks much and reads nothing is closed", async () => {
    await using server = await startAcpServer({ socketBytes: 64 * 1024, queuedBytes: 1024 * 1024, stallMs: 60_000 });
    using maker = await initialized(server.url);
    for (let made = 0; made < 20; made++) await maker.call("session/new", { cwd: server.folder, mcpServers: [] });
    using stuck = await connectTcp(server.url, UPGRADE);
    await stuck.until("101 Switching");
    stuck.frame(request(1, "initialize", INITIALIZE));
    await stuck.until('"id":1');
    stuck.socket.pause();
    let asked = 2;
    await until(async () => {
      for (let more = 0; more < 500; more++) stuck.frame(request(asked++, "session/list", {}));
      await Bun.sleep(1);
      return server.counts().connections === 1;
    });
  }, 30_000);

  test("as many requests as one connection may have, and no more", async () => {
    await using server = await startAcpServer({ requests: 3 });
    using client = await initialized(server.url);
    const id = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    const hang = { sessionId: id, prompt: [{ type: "text", text: "hang" }] };
    for (const waiting of [200, 201, 202]) client.send(request(waiting, "session/prompt", hang));
    const { error } = await client.ask("session/list", {});
    expect(error).toMatchObject({ code: -32603, data: { code: "too_many_requests" } });
    const from = client.frames.length;
    client.send(request(200, "session/list", {}));
    expect((await client.next((message) => message.id === 200, from)).error?.code).toBe(-32600);
  });
});

describe("connections that are dropped", () => {
  test("hundreds leave nothing behind", async () => {
    await using server = await startAcpServer({ idleMs: 200, pingMs: 50 });
    using maker = await initialized(server.url);
    const id = textOf(await maker.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    maker.send(request(200, "session/prompt", { sessionId: id, prompt: [{ type: "text", text: "ask edit a.txt" }] }));
    await maker.next(({ method }) => method === "session/request_permission");
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const client = await connectSocket(server.url);
          if (index % 5 === 0) return client.socket.terminate();
          await client.call("initialize", INITIALIZE);
          client.send(request(200, "session/load", { sessionId: id, cwd: server.folder, mcpServers: [] }));
          if (index % 2 === 0) await client.next(({ method }) => method === "session/request_permission");
          client.socket.terminate();
        }),
      );
      const streams = await Promise.all(Array.from({ length: 20 }, () => connectStreams(server.url)));
      await Promise.all(
        streams.map(async (client) => {
          const session = await client.open(id);
          await client.post(JSON.parse(request(9, "session/load", { sessionId: id, cwd: "/", mcpServers: [] })), id);
          session[Symbol.dispose]();
          client[Symbol.dispose]();
        }),
      );
    }
    await until(() => server.counts().connections === 1);
    expect(server.counts()).toEqual({ connections: 1, readers: 1, questions: 1, processes: 0 });
    expect(server.clientsAttached()).toBe(1);
    maker.notify("session/cancel", { sessionId: id });
    await until(() => server.counts().questions === 0);
  }, 60_000);
});

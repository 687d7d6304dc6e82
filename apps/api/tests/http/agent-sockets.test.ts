import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { createProxied, type GatewaySocket, openSocket, serveGateway } from "../support/proxied-gateway.ts";
import { until } from "../support/wait.ts";

const token = "an-api-token-of-the-tests";
const nothing = () => new Response(null, { status: 404 });

/** A client that asks for a WebSocket and then reads nothing. */
async function deafClient(port: number, path: string) {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  client.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  await new Promise<void>((resolve) => client.once("data", () => resolve()));
  client.pause();
  return client;
}

describe("a WebSocket to a project's agents", () => {
  test("carries texts and bytes of any length both ways, in their order", async () => {
    await using gateway = serveGateway(nothing, { message: (ws, data) => void ws.send(data) });
    await using api = await createProxied(gateway.port);
    const { socket, messages, opened } = openSocket(`${api.socketUrl}/acp?x=1`);
    await opened;
    const sent = ["", "héllo ☕", "a".repeat(70_000), randomBytes(200), randomBytes(5_000_000), "last"];
    for (const message of sent) socket.send(message);
    await until("all came back", () => (messages.length === sent.length ? true : undefined));
    sent.forEach((message, at) => expect(Buffer.from(message).equals(Buffer.from(messages[at] ?? "?"))).toBe(true));
    expect(messages.map((message) => typeof message)).toEqual(sent.map((message) => typeof message));
    expect(gateway.heard[0]).toMatchObject({ path: "/acp?x=1", method: "GET" });
    socket.close();
  });

  test("takes its token from the subprotocols, keeps it back, and agrees on what the gateway chose", async () => {
    await using gateway = serveGateway(nothing);
    await using api = await createProxied(gateway.port, { auth: { token } });
    const { socket, opened } = openSocket(`${api.socketUrl}/acp`, {
      protocols: [`bearer.${token}`, "acp.v2", "acp.v1"],
    });
    await opened;
    expect(socket.protocol).toBe("acp.v1");
    expect(gateway.heard[0]?.headers["sec-websocket-protocol"]).toBe("acp.v2, acp.v1");
    expect(gateway.heard[0]?.headers["authorization"]).toMatch(/^Bearer [\w-]{43}$/);
    expect(JSON.stringify(gateway.heard)).not.toContain(token);
    socket.close();
    const alone = openSocket(`${api.socketUrl}/acp`, { protocols: [`bearer.${token}`, "agentpod"] });
    await alone.opened;
    expect(alone.socket.protocol).toBe("agentpod");
    expect(gateway.heard[1]?.headers).not.toContainKey("sec-websocket-protocol");
    alone.socket.close();
    for (const options of [{}, { protocols: ["bearer.something-else-entirely"] }, { protocols: [token] }]) {
      await expect(openSocket(`${api.socketUrl}/acp`, options).opened).rejects.toThrow("closed");
    }
    expect(gateway.heard).toHaveLength(2);
    const byHeader = openSocket(`${api.socketUrl}/acp`, { headers: { authorization: `Bearer ${token}` } });
    await byHeader.opened;
    byHeader.socket.close();
  });

  test("is for no page of elsewhere", async () => {
    await using gateway = serveGateway(nothing);
    await using api = await createProxied(gateway.port);
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { host: "evil.example" }]) {
      await expect(openSocket(`${api.socketUrl}/acp`, { headers }).opened).rejects.toThrow("closed");
    }
    expect(gateway.heard).toEqual([]);
  });

  test("hands the gateway's headers on as other answers do, and its refusals whole", async () => {
    await using gateway = serveGateway(() => Response.json({ code: "terminal_not_found" }, { status: 404 }));
    await using api = await createProxied(gateway.port);
    const handshake = (path: string) =>
      fetch(`${api.url}${path}`, {
        headers: {
          connection: "upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": randomBytes(16).toString("base64"),
        },
      });
    const refused = await handshake("/v1/refused");
    expect([refused.status, await refused.json()]).toEqual([404, { code: "terminal_not_found" }]);
    const raw = connect(api.port, "127.0.0.1");
    raw.write(
      `GET ${api.place}/acp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
    const head = await new Promise<string>((resolve) => raw.once("data", (bytes) => resolve(bytes.toString("latin1"))));
    expect(head).toStartWith("HTTP/1.1 101");
    expect(head.toLowerCase()).toContain("acp-connection-id: c1");
    expect(head.toLowerCase()).toContain("x-request-id: ");
    expect(head.toLowerCase()).not.toContain("set-cookie");
    raw.destroy();
  });

  test.each([
    [1000, "done"],
    [4321, "own reason"],
  ])("passes a close with %d on, both ways", async (code, reason) => {
    await using gateway = serveGateway(nothing, {
      message: (ws, data) => (data === "close" ? ws.close(code, reason) : undefined),
    });
    await using api = await createProxied(gateway.port);
    const first = openSocket(`${api.socketUrl}/acp`);
    await first.opened;
    first.socket.send("close");
    expect(await first.closed).toEqual({ code, reason });
    const second = openSocket(`${api.socketUrl}/acp`);
    await second.opened;
    second.socket.close(code, reason);
    await until("the gateway is told", () => (gateway.closes.length === 2 ? true : undefined));
    expect(gateway.closes[1]).toEqual([code, reason]);
  });

  test("ends at the gateway when the client is just gone", async () => {
    await using gateway = serveGateway(nothing);
    await using api = await createProxied(gateway.port);
    const client = await deafClient(api.port, `${api.place}/acp`);
    client.destroy();
    await until("the gateway is told", () => gateway.closes[0]);
    expect(gateway.closes[0]?.[0]).toBe(1001);
  });

  test("tells a client whose gateway is lost why, and one whose project was stopped", async () => {
    const gateway = serveGateway(nothing);
    await using api = await createProxied(gateway.port);
    const first = openSocket(`${api.socketUrl}/acp`);
    await first.opened;
    gateway.sockets[0]?.terminate();
    const lost = await first.closed;
    expect(lost.code).toBe(1014);
    expect(lost.reason).toContain("gateway_unreachable");
    const second = openSocket(`${api.socketUrl}/acp`);
    await second.opened;
    await api.call("POST", `/api/projects/${api.projectId}/stop`, undefined, { prefer: "wait=5" });
    gateway.sockets[1]?.terminate();
    const stopped = await second.closed;
    expect(stopped.code).toBe(1001);
    expect(stopped.reason).toContain("not_running");
    await gateway.stop();
  });

  test("tells its clients when the API ends", async () => {
    await using gateway = serveGateway(nothing);
    await using api = await createProxied(gateway.port);
    const { opened, closed } = openSocket(`${api.socketUrl}/acp`);
    await opened;
    api.app.close();
    expect(await closed).toEqual({ code: 1001, reason: "the API is ending" });
  });
});

describe("a side of a WebSocket that takes nothing", () => {
  const chunk = "x".repeat(256 * 1024);
  const flood = (ws: GatewaySocket) => {
    for (let sent = 0; sent < 400; sent += 1) ws.send(chunk);
  };

  test("holds the gateway back while it is a slow client, and then gets everything", async () => {
    await using gateway = serveGateway(nothing, { message: flood });
    await using api = await createProxied(gateway.port);
    const client = await deafClient(api.port, `${api.place}/acp`);
    client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]));
    const waiting = () => gateway.sockets[0]?.getBufferedAmount() ?? 0;
    await until("the flood has begun", () => (waiting() > 0 ? true : undefined));
    let before = -1;
    await until("the gateway is held back", async () => {
      const now = waiting();
      const isStill = now === before;
      before = now;
      await Bun.sleep(200);
      return isStill ? true : undefined;
    });
    const total = 400 * chunk.length;
    expect(total - waiting()).toBeLessThan(32 * 1024 * 1024);
    let received = 0;
    client.on("data", (bytes) => void (received += bytes.length));
    client.resume();
    await until("everything came", () => (received >= total ? true : undefined));
    client.destroy();
  });

  test("is cut off with 1013 when it is a client for too long", async () => {
    await using gateway = serveGateway(nothing, { message: flood });
    await using api = await createProxied(gateway.port, { agentPace: { stallMs: 300 } });
    const client = await deafClient(api.port, `${api.place}/acp`);
    client.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]));
    await until("the gateway is told", () => gateway.closes[0]);
    expect(gateway.closes[0]?.[0]).toBe(1013);
    client.destroy();
  });

  test("is cut off with 1013 when it is the gateway", async () => {
    const raw = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
          socket.pause();
        },
      },
    });
    await using api = await createProxied(raw.port);
    const { socket, opened, closed } = openSocket(`${api.socketUrl}/acp`);
    await opened;
    for (let sent = 0; sent < 60; sent += 1) socket.send(Buffer.alloc(1024 * 1024));
    expect((await closed).code).toBe(1013);
    raw.stop(true);
  });

  test("is found dead when it is the gateway and says nothing at all", async () => {
    const raw = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
          socket.pause();
        },
      },
    });
    await using api = await createProxied(raw.port, { agentPace: { pingMs: 50 } });
    expect((await openSocket(`${api.socketUrl}/acp`).closed).code).toBe(1011);
    raw.stop(true);
    await using gateway = serveGateway(nothing, { message: (ws) => void ws.send("here") });
    await using other = await createProxied(gateway.port, { agentPace: { pingMs: 20 } });
    const alive = openSocket(`${other.socketUrl}/acp`);
    await alive.opened;
    await until("it was asked several times", () => (gateway.pings() > 5 ? true : undefined));
    alive.socket.send("?");
    await until("it is still there", () => alive.messages[0]);
    alive.socket.close();
  });

  test("that speaks no WebSocket is closed with 1002", async () => {
    const raw = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\xff\xff");
        },
      },
    });
    await using api = await createProxied(raw.port);
    expect((await openSocket(`${api.socketUrl}/acp`).closed).code).toBe(1002);
    raw.stop(true);
  });
});

import { describe, expect, test } from "bun:test";
import { agent } from "@agentclientprotocol/sdk";
import { AcpServer } from "@agentclientprotocol/sdk/experimental/server";
import { connectStreams } from "./support/http-client.ts";
import { INITIALIZE, textOf } from "./support/socket-client.ts";
import { startAcpServer } from "./support/server.ts";
import { TOKENS } from "./support/tokens.ts";

const AUTHORIZED = { authorization: `Bearer ${TOKENS.main}` };
const JSON_TYPE = { ...AUTHORIZED, "content-type": "application/json" };
const EVENTS = { ...AUTHORIZED, accept: "text/event-stream" };
const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE };

type Case = [name: string, status: number, method: string, headers: Record<string, string>, body?: unknown];

function wrongRequests(id: string): Case[] {
  const connection = { ...AUTHORIZED, "acp-connection-id": id };
  const json = { ...connection, ...JSON_TYPE };
  const unknown = { ...AUTHORIZED, "acp-connection-id": crypto.randomUUID() };
  const list = { jsonrpc: "2.0", id: 2, method: "session/list", params: {} };
  const prompt = { jsonrpc: "2.0", id: 3, method: "session/prompt", params: { sessionId: "s", prompt: [] } };
  const long = "x".repeat(1025);
  return [
    ["no content type", 415, "POST", connection, list],
    ["another content type", 415, "POST", { ...connection, "content-type": "text/plain" }, list],
    ["not JSON", 400, "POST", json, "{"],
    ["no object", 400, "POST", json, "5"],
    ["a batch", 400, "POST", json, [list]],
    ["no connection", 400, "POST", JSON_TYPE, list],
    ["an unknown connection", 404, "POST", { ...unknown, ...JSON_TYPE }, list],
    ["initialize twice", 400, "POST", json, initialize],
    ["initialize without an id", 400, "POST", JSON_TYPE, { ...initialize, id: undefined }],
    ["no session header", 400, "POST", json, prompt],
    ["another session header", 400, "POST", { ...json, "acp-session-id": "t" }, prompt],
    ["a long request id", 400, "POST", json, { ...list, id: long }],
    ["a long session id", 400, "GET", { ...connection, ...EVENTS, "acp-session-id": long }],
    ["taken", 202, "POST", json, list],
    [
      "a charset",
      202,
      "POST",
      { ...connection, "content-type": "Application/JSON; charset=utf-8" },
      { ...list, id: 9 },
    ],
    ["a notification", 202, "POST", json, { jsonrpc: "2.0", method: "$/ping" }],
    ["an answer to nothing", 202, "POST", json, { jsonrpc: "2.0", id: 77, result: {} }],
    ["no message", 202, "POST", json, {}],
    ["a stream of another type", 406, "GET", { ...connection, accept: "application/json" }],
    ["a stream of any type", 406, "GET", { ...connection, accept: "*/*" }],
    ["a stream without a connection", 400, "GET", EVENTS],
    ["a stream of an unknown connection", 404, "GET", { ...EVENTS, ...unknown }],
    ["a second reader", 409, "GET", { ...EVENTS, ...connection }],
    ["an end without a connection", 400, "DELETE", AUTHORIZED],
    ["an end of an unknown connection", 404, "DELETE", unknown],
    ["another method", 405, "PUT", connection],
  ];
}

function lastRequests(id: string): Case[] {
  const connection = { ...AUTHORIZED, "acp-connection-id": id };
  return [
    ["the end", 202, "DELETE", connection],
    ["after the end", 404, "POST", { ...connection, ...JSON_TYPE }, { jsonrpc: "2.0", id: 2, method: "session/list" }],
  ];
}

/** Bun sends a response's headers with its first byte, which the official server's streams have late. */
function begun(response: Response): Response {
  if (response.headers.get("content-type") !== "text/event-stream" || !response.body) return response;
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(":\n\n")),
    }),
  );
  return new Response(body, response);
}

async function expectStatuses(url: string, cases: Case[]): Promise<void> {
  const statuses: [string, number][] = [];
  for (const [name, , method, headers, body] of cases) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: text }) });
    statuses.push([name, answer.status]);
    await answer.body?.cancel();
  }
  expect(statuses).toEqual(cases.map(([name, status]) => [name, status]));
}

describe("/acp over Streamable HTTP", () => {
  test("initialize answers in its own response and names the connection", async () => {
    await using server = await startAcpServer();
    const answer = await fetch(server.url, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(initialize) });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("acp-connection-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await answer.json()).toMatchObject({ jsonrpc: "2.0", id: 1, result: { protocolVersion: 1 } });
  });

  test("an initialize that is refused leaves no connection", async () => {
    await using server = await startAcpServer();
    const body = JSON.stringify({ ...initialize, params: {} });
    const answer = await fetch(server.url, { method: "POST", headers: JSON_TYPE, body });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("acp-connection-id")).toBeNull();
    expect(await answer.json()).toMatchObject({ id: 1, error: { code: -32602 } });
    expect(server.counts().connections).toBe(0);
  });

  test("each wrong request has the status of the transport's rules", async () => {
    await using server = await startAcpServer();
    using client = await connectStreams(server.url);
    const connection = { ...AUTHORIZED, "acp-connection-id": client.id };
    const events = { ...EVENTS, ...connection };
    await expectStatuses(server.url, [
      ...wrongRequests(client.id),
      ["a stream of an unknown session", 404, "GET", { ...events, "acp-session-id": "nothing" }],
      ["a stream of another caller", 404, "GET", { ...events, authorization: `Bearer ${TOKENS.other}` }],
      ["no token", 401, "GET", { ...events, authorization: "" }],
      ...lastRequests(client.id),
    ]);
    await client.ended;
  });

  test("the official server gives the same statuses", async () => {
    const official = new AcpServer({
      createAgent: () =>
        agent({})
          .onRequest("initialize", () => ({ protocolVersion: 1 }))
          .onRequest("session/list", () => ({ sessions: [] })),
    });
    const server = Bun.serve({ port: 0, fetch: async (request) => begun(await official.handleRequest(request)) });
    const url = `http://127.0.0.1:${server.port}/acp`;
    using client = await connectStreams(url);
    await expectStatuses(url, [...wrongRequests(client.id), ...lastRequests(client.id)]);
    await official.close();
    await server.stop(true);
  });

  test("a batch is answered as the protocol says", async () => {
    await using server = await startAcpServer();
    const answer = await fetch(server.url, { method: "POST", headers: JSON_TYPE, body: "[]" });
    expect(await answer.json()).toMatchObject({ id: null, error: { code: -32600 } });
  });

  test("answers of a session come on its stream, those of session/new and load on the connection's", async () => {
    await using server = await startAcpServer();
    using client = await connectStreams(server.url);
    const id = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using session = await client.open(id);
    await client.post(
      {
        jsonrpc: "2.0",
        id: 50,
        method: "session/prompt",
        params: { sessionId: id, prompt: [{ type: "text", text: "text one" }] },
      },
      id,
    );
    const answer = await session.next((message) => message.id === 50);
    expect(answer.result).toMatchObject({ stopReason: "end_turn" });
    expect(session.messages.findIndex(({ method }) => method === "session/update")).toBeLessThan(
      session.messages.indexOf(answer),
    );
    await client.post(
      { jsonrpc: "2.0", id: 51, method: "session/load", params: { sessionId: id, cwd: "/", mcpServers: [] } },
      id,
    );
    await client.connection.next((message) => message.id === 51);
    await session.next(
      ({ params }) =>
        (params?.["update"] as { sessionUpdate?: string } | undefined)?.sessionUpdate === "user_message_chunk",
    );
  });

  test("a permission is answered only with the session's header", async () => {
    await using server = await startAcpServer();
    using client = await connectStreams(server.url);
    const id = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using session = await client.open(id);
    await client.post(
      {
        jsonrpc: "2.0",
        id: 50,
        method: "session/prompt",
        params: { sessionId: id, prompt: [{ type: "text", text: "ask edit a.txt" }] },
      },
      id,
    );
    const asked = await session.next(({ method }) => method === "session/request_permission");
    const given = { jsonrpc: "2.0", id: asked.id, result: { outcome: { outcome: "selected", optionId: "once" } } };
    expect((await client.post(given)).status).toBe(400);
    expect((await client.post(given, "another")).status).toBe(400);
    expect((await client.post(given, id)).status).toBe(202);
    expect((await session.next((message) => message.id === 50)).result).toMatchObject({ stopReason: "end_turn" });
  });

  test("a session's stream can be left and taken up again where it stood", async () => {
    await using server = await startAcpServer();
    using client = await connectStreams(server.url);
    const id = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    (await client.open(id))[Symbol.dispose]();
    await client.post(
      {
        jsonrpc: "2.0",
        id: 50,
        method: "session/prompt",
        params: { sessionId: id, prompt: [{ type: "text", text: "text later" }] },
      },
      id,
    );
    using again = await client.openSoon(id);
    expect((await again.next((message) => message.id === 50)).result).toMatchObject({ stopReason: "end_turn" });
  });

  test("an idle connection is ended, one with a stream is kept alive", async () => {
    await using server = await startAcpServer({ idleMs: 200, pingMs: 50 });
    using client = await connectStreams(server.url);
    await fetch(server.url, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(initialize) });
    expect(server.counts().connections).toBe(2);
    while (server.counts().connections > 1) await Bun.sleep(20);
    await client.connection.next(() => false, 400).catch(() => undefined);
    expect(client.connection.comments).toBeGreaterThan(2);
    expect(server.counts().connections).toBe(1);
  });
});

import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/wire/index.ts";
import { connectSocket, INITIALIZE, initialized, textOf } from "./support/socket-client.ts";
import { until } from "../support/gateway.ts";
import { startAcpServer } from "./support/server.ts";
import { UPGRADE } from "./support/tcp-client.ts";
import { TOKENS } from "./support/tokens.ts";

describe("/acp over a WebSocket", () => {
  test("the upgrade names the connection and speaks acp.v1, never the bearer protocol", async () => {
    await using server = await startAcpServer();
    const answer = await fetch(server.url, {
      headers: {
        ...UPGRADE,
        "sec-websocket-protocol": `bearer.${TOKENS.main}, acp.v1`,
      },
    });
    expect(answer.status).toBe(101);
    expect(answer.headers.get("acp-connection-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get("sec-websocket-protocol")).toBe("acp.v1");
  });

  test("initialize says what the gateway can do, whatever version is asked for", async () => {
    await using server = await startAcpServer();
    using client = await connectSocket(server.url);
    const result = await client.call("initialize", { ...INITIALIZE, protocolVersion: 2 });
    expect(result).toMatchObject({
      protocolVersion: 1,
      agentInfo: { name: "agentpod-gateway", version: "1.2.3" },
      agentCapabilities: {
        loadSession: true,
        sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {}, fork: {} },
      },
      _meta: { gateway: { agent: "scripted" } },
    });
  });

  test("the first message must be an initialize request", async () => {
    await using server = await startAcpServer();
    for (const first of [
      { jsonrpc: "2.0", id: 1, method: "session/list", params: {} },
      { jsonrpc: "2.0", method: "session/cancel", params: { sessionId: "x" } },
      { jsonrpc: "2.0", method: "initialize", params: INITIALIZE },
      { jsonrpc: "2.0", id: null, method: "initialize", params: INITIALIZE },
    ]) {
      using client = await connectSocket(server.url);
      client.send(first);
      expect((await client.closed).code).toBe(1002);
    }
  });

  test("a second initialize is refused and the connection goes on", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    expect((await client.ask("initialize", INITIALIZE)).error?.code).toBe(-32600);
    expect(await client.call("session/list", {})).toEqual({ sessions: [] });
  });

  test("malformed frames are answered by an error without an id, before and after initialize", async () => {
    await using server = await startAcpServer();
    using client = await connectSocket(server.url);
    const frames: [string, number][] = [
      ["{not json", -32700],
      ["", -32700],
      ["42", -32600],
      ['"text"', -32600],
      ["null", -32600],
      ["[]", -32600],
      ['[{"jsonrpc":"2.0","id":1,"method":"session/list"}]', -32600],
      ["{}", -32600],
      ['{"jsonrpc":"1.0","id":1,"method":"session/list"}', -32600],
      ['{"jsonrpc":"2.0","id":{},"method":"session/list"}', -32600],
      ['{"jsonrpc":"2.0","id":1,"method":5}', -32600],
    ];
    for (const when of ["before", "after"]) {
      for (const [frame, code] of frames) {
        const from = client.frames.length;
        client.send(frame);
        const answer = await client.next(() => true, from);
        expect([when, frame, answer.id, answer.error?.code]).toEqual([when, frame, null, code]);
      }
      if (when === "before") await client.call("initialize", INITIALIZE);
    }
    const bad = await client.next(
      () => true,
      (client.send('{"jsonrpc":"2.0","id":7,"method":"x","params":[1]}'), client.frames.length),
    );
    expect(bad).toMatchObject({ id: 7, error: { code: -32600 } });
  });

  test("binary frames, answers to nothing and keep-alives are passed over", async () => {
    await using server = await startAcpServer();
    using client = await connectSocket(server.url);
    client.notify("$/ping", {});
    client.send({ jsonrpc: "2.0", id: 5, result: {} });
    client.socket.send(new Uint8Array([123, 125]));
    await client.call("initialize", INITIALIZE);
    client.notify("$/ping", {});
    client.notify("$/cancel_request", { requestId: "nothing" });
    client.send({ jsonrpc: "2.0", id: 1, result: {} });
    client.send({ jsonrpc: "2.0", id: 1 });
    expect(await client.call("session/list", {})).toEqual({ sessions: [] });
    expect(client.frames).toHaveLength(2);
  });

  test("ids longer than the limit end the connection", async () => {
    await using server = await startAcpServer();
    const long = "x".repeat(1025);
    for (const message of [
      { jsonrpc: "2.0", id: long, method: "session/list" },
      { jsonrpc: "2.0", id: 1, method: "session/close", params: { sessionId: long } },
    ]) {
      using client = await initialized(server.url);
      client.send(message);
      expect((await client.closed).code).toBe(1008);
    }
  });

  test("errors have the protocol's codes and the gateway's own beside them", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const refused = async (method: string, params: object) => {
      const { error } = await client.ask(method, params as never);
      return [error?.code, (error?.data as { code?: string } | undefined)?.code];
    };
    const sessionId = "ses_00000000000000000000000000000000";
    const prompt = [{ type: "text", text: "text hello" }];
    expect(await refused("session/load", { sessionId, cwd: "/", mcpServers: [] })).toEqual([
      -32002,
      "session_not_found",
    ]);
    expect(await refused("session/prompt", { sessionId, prompt })).toEqual([-32002, "session_not_found"]);
    expect(await refused("session/prompt", { sessionId, prompt: "text" })).toEqual([-32602, "invalid_request"]);
    expect(await refused("session/prompt", { prompt })).toEqual([-32602, "invalid_request"]);
    expect(await refused("session/new", { cwd: 5, mcpServers: [] })).toEqual([-32602, "invalid_request"]);
    expect(await refused("_gateway/session/attach", { sessionId, history: "some" })).toEqual([
      -32602,
      "invalid_request",
    ]);
    for (const title of ["", "x".repeat(501), "half \ud83d"]) {
      expect(await refused("session/set_title", { sessionId, title })).toEqual([-32602, "invalid_request"]);
    }
    expect(await refused("no/such/method", {})).toEqual([-32601, undefined]);
    expect(await refused("_gateway/nothing", { sessionId })).toEqual([-32601, undefined]);
    expect(await refused("x/echo", { sessionId })).toEqual([-32002, "session_not_found"]);
  });

  test("a caller is held to its scopes", async () => {
    await using server = await startAcpServer();
    using writer = await initialized(server.url);
    const sessionId = textOf(await writer.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using reader = await initialized(server.url, { token: TOKENS.reader });
    await reader.call("session/load", { sessionId, cwd: server.folder, mcpServers: [] });
    for (const method of [
      "session/new",
      "session/prompt",
      "session/close",
      "session/delete",
      "session/set_mode",
      "x/echo",
    ]) {
      const { error } = await reader.ask(method, {
        sessionId,
        cwd: server.folder,
        mcpServers: [],
      });
      expect([method, error?.data]).toEqual([method, { code: "forbidden" }]);
    }
    const stdio = [{ name: "tool", command: "/bin/true", args: [], env: [] }];
    using prompter = await initialized(server.url, { token: TOKENS.prompter });
    const refused = await prompter.ask("session/new", { cwd: server.folder, mcpServers: stdio });
    expect(refused.error?.data).toEqual({ code: "forbidden" });
  });

  test("a message nested without end is no message, and the connection goes on", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = textOf(await client.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    const deep = `${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}`;
    const from = client.frames.length;
    client.socket.send(
      `{"jsonrpc":"2.0","id":"deep","method":"x/echo","params":{"sessionId":"${sessionId}","x":${deep}}}`,
    );
    expect((await client.next(({ error }) => error !== undefined, from)).error?.code).toBe(-32700);
    expect(await client.call("x/echo", { sessionId, x: 1 })).toMatchObject({ echo: { x: 1 } });
  });

  test("what REST keeps for admin and approve is not open by /acp", async () => {
    await using server = await startAcpServer();
    using writer = await initialized(server.url);
    const sessionId = textOf(await writer.call("session/new", { cwd: server.folder, mcpServers: [] }), "sessionId");
    using prompter = await initialized(server.url, { token: TOKENS.prompter });
    await prompter.call("session/load", { sessionId, cwd: server.folder, mcpServers: [] });
    const tries: [string, JsonObject][] = [
      ["session/delete", {}],
      ["x/echo", {}],
      ["providers/set", { providerId: "main", baseUrl: "https://evil.example" }],
      ["authenticate", { methodId: "key" }],
      ["logout", {}],
      ["session/set_mode", { modeId: "auto" }],
    ];
    for (const [method, params] of tries) {
      const { error } = await prompter.ask(method, { sessionId, ...params });
      expect([method, error?.data]).toEqual([method, { code: "forbidden" }]);
    }
    const permissive = { cwd: server.folder, mcpServers: [], _meta: { gateway: { mode: "auto" } } };
    expect((await prompter.ask("session/new", permissive)).error?.data).toEqual({ code: "forbidden" });
    // Credentials of its own are for its own sessions: the agent of another's is not told.
    expect(await prompter.call("authenticate", { methodId: "nonsense" })).toEqual({});
    expect(await prompter.call("logout", {})).toEqual({});
    expect(
      await prompter.call("session/set_config_option", { sessionId, configId: "model", value: "large" }),
    ).toMatchObject({
      configOptions: [{ currentValue: "large" }],
    });
  });

  test("beyond the limit a client is refused with 429", async () => {
    await using server = await startAcpServer({ connections: 1 });
    using first = await initialized(server.url);
    const headers = { ...UPGRADE, authorization: `Bearer ${TOKENS.main}` };
    expect((await fetch(server.url, { headers })).status).toBe(429);
    first.socket.terminate();
    await until(() => server.counts().connections === 0);
    using second = await initialized(server.url);
    expect(await second.call("session/list", {})).toEqual({ sessions: [] });
  });
});

import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../src/wire/index.ts";
import { startAcpServer } from "./support/server.ts";
import { connectSocket, initialized, type Message, says, textOf, texts } from "./support/socket-client.ts";

const script = (...lines: string[]) => [{ type: "text", text: lines.join("\n") }];
const elicited = ({ method }: Message) => method === "elicitation/create";

async function newSession(client: Awaited<ReturnType<typeof initialized>>, folder: string): Promise<string> {
  return textOf(await client.call("session/new", { cwd: folder, mcpServers: [] }), "sessionId");
}

describe("what an agent and a client say through the gateway", () => {
  test("a question goes to the clients that can show it, the first answer counts", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    using two = await initialized(server.url);
    using plain = await connectSocket(server.url);
    await plain.call("initialize", { protocolVersion: 1, clientCapabilities: {} });
    const sessionId = await newSession(one, server.folder);
    for (const other of [two, plain]) await other.call("session/resume", { sessionId, cwd: server.folder });
    const turn = one.call("session/prompt", { sessionId, prompt: script("elicit Who are you?") });
    const first = await one.next(elicited);
    const second = await two.next(elicited);
    expect(first.params).toMatchObject({ sessionId, mode: "form", message: "Who are you?" });
    two.send({ jsonrpc: "2.0", id: second.id, result: { action: "accept", content: { name: "two" } } });
    await one.next(({ method, params }) => method === "$/cancel_request" && params?.["requestId"] === first.id);
    await turn;
    expect(texts(one.frames)).toEqual(['{"action":"accept","content":{"name":"two"}}']);
    expect(plain.frames.filter(elicited)).toEqual([]);
  });

  test("an update of an unknown kind passes unchanged, its _meta beside the gateway's", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const update = '{"sessionUpdate":"from_the_future","n":1.50,"big":12345678901234567890,"deep":{"update":{"a":[]}}}';
    const bare = `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"$SESSION","update":${update}}}`;
    const meta = '{"trace":"t-1","update":{"x":1},"gateway":{"own":true}}';
    const more = `{"jsonrpc":"2.0","method":"session/update","params":{"_meta":${meta},"sessionId":"$SESSION","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"with meta"}}}}`;
    const raw: string[] = [];
    client.socket.addEventListener("message", ({ data }) => void raw.push(String(data)));
    await client.call("session/prompt", { sessionId, prompt: script(`raw ${bare}`, `raw ${more}`) });
    expect(raw.find((text) => text.includes("from_the_future"))).toContain(
      `"update":${update},"_meta":{"gateway":{"seq":`,
    );
    const { params } = await client.next(says("with meta"));
    expect(params?.["_meta"]).toEqual({
      trace: "t-1",
      update: { x: 1 },
      gateway: { own: true, seq: expect.any(Number) },
    });
  });

  test("an agent's own notifications reach its clients, with the gateway's id of the session", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    await client.call("session/prompt", { sessionId, prompt: script("notify x/progress") });
    const { params } = await client.next(({ method }) => method === "x/progress");
    expect(params).toEqual({ sessionId, by: "scripted" });
  });

  test("credentials given before a session are used for it, those given later reach its agent", async () => {
    await using server = await startAcpServer();
    using client = await initialized(`${server.url}?agent=locked`);
    const fresh = { cwd: server.folder, mcpServers: [] };
    const refused = await client.ask("session/new", fresh);
    expect(refused.error).toMatchObject({ code: -32000, data: { code: "auth_required" } });
    expect(await client.call("authenticate", { methodId: "key" })).toEqual({});
    const sessionId = textOf(await client.call("session/new", fresh), "sessionId");
    expect((await client.ask("authenticate", { methodId: "nonsense" })).error?.code).toBe(-32602);
    expect(await client.call("logout", {})).toEqual({});
    expect(await client.call("authenticate", { methodId: "key" })).toEqual({});
    expect(await client.call("session/prompt", { sessionId, prompt: script("text in") })).toMatchObject({
      stopReason: "end_turn",
    });
  });

  test("the agent is the one named in the request, else in the address, else the first that is here", async () => {
    await using server = await startAcpServer();
    const agentOf = async (query: string, meta: JsonObject) => {
      using client = await initialized(server.url + query);
      const { error, result } = await client.ask("session/new", { cwd: server.folder, mcpServers: [], _meta: meta });
      const gateway = (result?.["_meta"] as { gateway?: { agent: string } } | undefined)?.gateway;
      return gateway?.agent ?? (error?.data as { code?: string } | undefined)?.code;
    };
    expect(await agentOf("", {})).toBe("scripted");
    expect(await agentOf("?agent=locked", {})).toBe("auth_required");
    expect(await agentOf("?agent=locked", { gateway: { agent: "scripted" } })).toBe("scripted");
    expect(await agentOf("?agent=absent", {})).toBe("agent_not_installed");
    expect(await agentOf("?agent=nobody", {})).toBe("agent_not_found");
    expect(await agentOf("?agent=..%2Fsh", {})).toBe("invalid_request");
  });

  test("session/list tells all sessions, or those of one folder", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const below = join(server.folder, "below");
    await mkdir(below);
    const first = await newSession(client, server.folder);
    const second = await newSession(client, below);
    const ids = async (params: JsonObject) => {
      const { sessions } = await client.call("session/list", params);
      return (sessions as JsonObject[]).map((session) => textOf(session, "sessionId")).toSorted();
    };
    expect(await ids({})).toEqual([first, second].toSorted());
    expect(await ids({ cwd: below })).toEqual([second]);
    expect(await ids({ cwd: "/nowhere" })).toEqual([]);
    expect((await client.ask("session/list", { cursor: "nonsense" })).error?.code).toBe(-32602);
  });

  test("a prompt of a session whose agent was killed answers with an error at once, and the next one works", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const started = performance.now();
    const { error } = await client.ask("session/prompt", { sessionId, prompt: script("text before", "crash") });
    expect(error).toMatchObject({ code: -32603, data: { code: "agent_exited" } });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await client.call("session/prompt", { sessionId, prompt: script("text again") })).toMatchObject({
      stopReason: "end_turn",
    });
    expect(texts(client.frames)).toEqual(["before", "again"]);
  }, 20_000);
});

import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/wire/index.ts";
import { startAcpServer } from "./support/server.ts";
import { initialized, type Message, says, seqOf, textOf, texts } from "./support/socket-client.ts";
import { TOKENS } from "./support/tokens.ts";

const script = (...lines: string[]) => [{ type: "text", text: lines.join("\n") }];
const asked = ({ method }: Message) => method === "session/request_permission";
const takenBack = ({ method }: Message) => method === "$/cancel_request";

async function newSession(client: Awaited<ReturnType<typeof initialized>>, folder: string): Promise<string> {
  return textOf(await client.call("session/new", { cwd: folder, mcpServers: [] }), "sessionId");
}

describe("several clients of one session", () => {
  test("one sees what another says, and the seq of each update", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    using two = await initialized(server.url);
    const sessionId = await newSession(one, server.folder);
    await two.call("session/resume", { sessionId, cwd: server.folder });
    await one.call("session/prompt", { sessionId, prompt: script("text a", "text b") });
    await two.next(says("b"));
    expect(texts(two.frames, "user_message_chunk")).toEqual(["text a\ntext b"]);
    expect(texts(one.frames, "user_message_chunk")).toEqual([]);
    expect(texts(one.frames)).toEqual(["a", "b"]);
    expect(texts(two.frames)).toEqual(["a", "b"]);
    const seqs = two.frames.filter(({ method }) => method === "session/update").map(seqOf);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
  });

  test("all are asked for a permission, the first answer counts and from the rest the question is taken back", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    using two = await initialized(server.url);
    using reader = await initialized(server.url, { token: TOKENS.reader });
    const sessionId = await newSession(one, server.folder);
    await two.call("session/resume", { sessionId, cwd: server.folder });
    await reader.call("session/resume", { sessionId, cwd: server.folder });
    const turn = one.call("session/prompt", { sessionId, prompt: script("ask edit a.txt", "text done") });
    const first = await one.next(asked);
    const second = await two.next(asked);
    expect(second.params).toMatchObject({ sessionId, toolCall: {} });
    expect(second.params?.["options"]).toContainEqual({ optionId: "once", name: "Allow once", kind: "allow_once" });
    two.send({ jsonrpc: "2.0", id: second.id, result: { outcome: { outcome: "selected", optionId: "no" } } });
    const back = await one.next(takenBack);
    expect(back.params).toEqual({ requestId: first.id as number });
    // Too late, and without effect.
    one.send({ jsonrpc: "2.0", id: first.id, result: { outcome: { outcome: "selected", optionId: "once" } } });
    expect(await turn).toMatchObject({ stopReason: "end_turn" });
    expect(texts(one.frames)).toEqual(["[selected no]", "done"]);
    expect(two.frames.filter(takenBack)).toEqual([]);
    expect(reader.frames.filter(asked)).toEqual([]);
    expect(server.counts().questions).toBe(0);
  });

  test("a client that refuses the question leaves it to the others", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    using two = await initialized(server.url);
    const sessionId = await newSession(one, server.folder);
    await two.call("session/resume", { sessionId, cwd: server.folder });
    const turn = one.call("session/prompt", { sessionId, prompt: script("ask edit a.txt") });
    const first = await one.next(asked);
    one.send({ jsonrpc: "2.0", id: first.id, error: { code: -32601, message: "no" } });
    const second = await two.next(asked);
    two.send({ jsonrpc: "2.0", id: second.id, result: { outcome: { outcome: "selected", optionId: "once" } } });
    expect(await turn).toMatchObject({ stopReason: "end_turn" });
  });

  test("a client that comes later is shown what waits", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    const sessionId = await newSession(one, server.folder);
    const turn = one.call("session/prompt", { sessionId, prompt: script("text first", "ask edit a.txt") });
    await one.next(asked);
    using two = await initialized(server.url);
    await two.call("_gateway/session/attach", { sessionId, history: "pending_only" });
    const late = await two.next(asked);
    expect(texts(two.frames)).toEqual([]);
    using three = await initialized(server.url);
    await three.call("session/load", { sessionId, cwd: server.folder, mcpServers: [] });
    const answer = three.frames.findIndex(({ result }) => result?.["sessionId"] === sessionId);
    await three.next(asked);
    expect(three.frames.findIndex(asked)).toBeGreaterThan(answer);
    two.send({ jsonrpc: "2.0", id: late.id, result: { outcome: { outcome: "cancelled" } } });
    await three.next(takenBack);
    await turn;
  });

  test("a session that is loaded again while its turn runs still answers the turn, and asks again", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const turn = client.call("session/prompt", { sessionId, prompt: script("text a", "ask edit a.txt", "text b") });
    await client.next(asked);
    const from = client.frames.length;
    await client.call("session/load", { sessionId, cwd: server.folder, mcpServers: [] });
    const again = await client.next(asked, from);
    client.send({ jsonrpc: "2.0", id: again.id, result: { outcome: { outcome: "selected", optionId: "once" } } });
    expect(await turn).toMatchObject({ stopReason: "end_turn" });
    expect(texts(client.frames.slice(from), "user_message_chunk")).toEqual(["text a\nask edit a.txt\ntext b"]);
    expect(texts(client.frames.slice(from))).toEqual(["a", "[selected once]", "b"]);
  });

  test("attach gives the history from where the client likes", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    const sessionId = await newSession(one, server.folder);
    await one.call("session/prompt", { sessionId, prompt: script("text a", "text b", "text c") });
    const b = one.frames.find(says("b"));
    if (!b) throw new Error("no update for b");
    const seen = async (params: JsonObject) => {
      using client = await initialized(server.url);
      await client.call("_gateway/session/attach", { sessionId, ...params });
      return texts(client.frames);
    };
    expect(await seen({})).toEqual(["a", "b", "c"]);
    expect(await seen({ history: "after", after: seqOf(b) })).toEqual(["c"]);
    expect(await seen({ history: "none" })).toEqual([]);
    expect(await seen({ history: "pending_only" })).toEqual([]);
  });

  test("cancel ends the running turn, $/cancel_request the prompt it names", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const first = client.call("session/prompt", { sessionId, prompt: script("text on", "hang") });
    await client.next(says("on"));
    client.notify("session/cancel", { sessionId });
    expect(await first).toMatchObject({ stopReason: "cancelled" });
    client.send({
      jsonrpc: "2.0",
      id: "p2",
      method: "session/prompt",
      params: { sessionId, prompt: script("text two", "hang") },
    });
    await client.next(says("two"));
    client.notify("$/cancel_request", { requestId: "p2" });
    expect((await client.next(({ id }) => id === "p2")).result).toMatchObject({ stopReason: "cancelled" });
  });

  test("a cancel that follows its prompt at once ends it, and also what waits behind", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    using other = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const turns = [1, 2, 3].map(() => client.call("session/prompt", { sessionId, prompt: script("hang") }));
    client.notify("session/cancel", { sessionId });
    for (const turn of turns) expect(await turn).toMatchObject({ stopReason: "cancelled" });
    const mine = client.call("session/prompt", { sessionId, prompt: script("text mine", "hang") });
    await client.next(says("mine"));
    const behind = other.call("session/prompt", { sessionId, prompt: script("text behind") });
    await client.call("session/list", {});
    client.notify("session/cancel", { sessionId });
    expect(await mine).toMatchObject({ stopReason: "cancelled" });
    expect(await behind).toMatchObject({ stopReason: "end_turn" });
  });

  test("a cancel takes back the question of its turn", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const turn = client.call("session/prompt", { sessionId, prompt: script("ask edit a.txt") });
    const question = await client.next(asked);
    client.notify("session/cancel", { sessionId });
    expect((await client.next(takenBack)).params).toEqual({ requestId: question.id as number });
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
  });

  test("an agent's error is the answer, with its code and data", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const { error } = await client.ask("session/prompt", { sessionId, prompt: script("error -32010 out of cheese") });
    expect(error).toMatchObject({ code: -32010, message: "out of cheese" });
  });

  test("methods the gateway does not know are the agent's", async () => {
    await using server = await startAcpServer();
    using client = await initialized(server.url);
    const sessionId = await newSession(client, server.folder);
    const { echo } = await client.call("x/echo", { sessionId, deep: { a: [1] } });
    expect(echo).toMatchObject({ deep: { a: [1] } });
    expect((await client.ask("x/none", { sessionId })).error?.code).toBe(-32601);
  });

  test("a deleted session fails what waits for it", async () => {
    await using server = await startAcpServer();
    using one = await initialized(server.url);
    using two = await initialized(server.url);
    const sessionId = await newSession(one, server.folder);
    const turn = one.ask("session/prompt", { sessionId, prompt: script("hang") });
    await two.call("session/resume", { sessionId, cwd: server.folder });
    await two.call("session/delete", { sessionId });
    const { error, result } = await turn;
    expect(error?.code ?? result?.["stopReason"]).toBeOneOf([-32002, "cancelled"]);
    expect((await one.ask("session/resume", { sessionId, cwd: "/" })).error?.code).toBe(-32002);
  });

  test("a dropped client leaves its turn alive, and the next one finds it", async () => {
    await using server = await startAcpServer();
    let sessionId = "";
    {
      using client = await initialized(server.url);
      sessionId = await newSession(client, server.folder);
      client.send({
        jsonrpc: "2.0",
        id: 200,
        method: "session/prompt",
        params: { sessionId, prompt: script("text before", "ask edit a.txt", "text after") },
      });
      await client.next(asked);
      client.socket.terminate();
      await client.closed;
    }
    using next = await initialized(server.url);
    await next.call("session/load", { sessionId, cwd: server.folder, mcpServers: [] });
    const question = await next.next(asked);
    next.send({ jsonrpc: "2.0", id: question.id, result: { outcome: { outcome: "selected", optionId: "once" } } });
    await next.next(says("after"));
    expect(texts(next.frames)).toEqual(["before", "[selected once]", "after"]);
  });
});

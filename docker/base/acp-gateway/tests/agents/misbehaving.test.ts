import { describe, expect, test } from "bun:test";
import { bareClient, listener } from "./support.ts";

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

describe("agents that misbehave", () => {
  test("a request of a session nobody opened is the only session's, such as a subagent's, or is refused at once", async () => {
    const { client, say, sent } = bareClient();
    const first = listener();
    client.attach("s1", first.handlers);
    say({ jsonrpc: "2.0", id: 1, method: "session/request_permission", params: { sessionId: "child" } });
    expect(first.heard.requests.map(({ params }) => params)).toEqual([{ sessionId: "child" }]);
    client.attach("s2", listener().handlers);
    say({ jsonrpc: "2.0", id: 2, method: "session/request_permission", params: { sessionId: "other" } });
    expect(sent).toContainEqual(expect.objectContaining({ id: 2, error: expect.objectContaining({ code: -32002 }) }));
  });

  test("a request of a session that is being made waits for it", async () => {
    const { client, say, sent } = bareClient();
    client.attach("s1", listener().handlers);
    const made = client.request("session/new", {});
    say({ jsonrpc: "2.0", id: 5, method: "x/early", params: { sessionId: "s2" } });
    say({ jsonrpc: "2.0", id: 1, result: { sessionId: "s2" } });
    say({ jsonrpc: "2.0", id: 6, method: "x/behind", params: { sessionId: "s2" } });
    await made;
    const second = listener();
    client.attach("s2", second.handlers);
    await Bun.sleep(0);
    expect(second.heard.requests.map(({ method }) => method)).toEqual(["x/early", "x/behind"]);
    expect(sent.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  test("what is nested beyond all measure ends what it answers, and nothing else", async () => {
    const { client, say, sent, counters } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    const failed = client.request("a", {}).catch((error: unknown) => error);
    const answered = client.request("b", {}).catch((error: unknown) => error);
    const levels = 60_000;
    say(
      `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no","data":${deep(levels)}}}`,
      `{"jsonrpc":"2.0","id":2,"result":${deep(levels)}}`,
      `{"jsonrpc":"2.0","id":"q","method":"x","params":${deep(levels)}}`,
      `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":{"sessionUpdate":"usage_update","x":${deep(levels)}}}}`,
      `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":{"sessionUpdate":"fine","x":${deep(200)},"text":"${"{".repeat(5000)}"}}}`,
    );
    expect([await failed, await answered]).toMatchObject([{ code: "agent_error" }, { code: "agent_error" }]);
    expect(sent).toContainEqual(expect.objectContaining({ id: "q", error: expect.objectContaining({ code: -32600 }) }));
    expect(heard.updates.map(({ update }) => update["sessionUpdate"])).toEqual(["fine"]);
    expect(counters.malformedMessages).toBeGreaterThanOrEqual(2);
  });

  test("an id too large for a number is answered as it was written", async () => {
    const lines: string[] = [];
    const { client, say } = bareClient((line) => lines.push(line));
    client.attach("s1", listener().handlers);
    say('{"jsonrpc":"2.0","id":12345678901234567890,"method":"x/ask","params":{"sessionId":"s1"}}');
    await Bun.sleep(0);
    expect(lines).toEqual(['{"jsonrpc":"2.0","id":12345678901234567890,"result":{}}']);
  });

  test("ids of sessions that fill the memory are not kept", () => {
    const { client, say, counters } = bareClient();
    const id = "x".repeat(100_000);
    say({ jsonrpc: "2.0", method: "session/update", params: { sessionId: id, update: { sessionUpdate: "x" } } });
    expect(counters.droppedMessages).toBe(1);
    const { heard, handlers } = listener();
    client.attach(id, handlers);
    expect(heard.updates).toEqual([]);
  });

  test("numbers stay as they are where a line has carriage returns between its tokens", () => {
    const { client, say } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    say(
      '{"jsonrpc":"2.0",\r"method":"session/update","params":{"sessionId":"s1","update":{"sessionUpdate":"x",\r"n":1.0,"e":1e400,"s":"\\ud800"}}}',
    );
    expect(heard.updates.map(({ raw }) => raw)).toEqual(['{"sessionUpdate":"x", "n":1.0,"e":1e400,"s":"\\ud800"}']);
  });
});

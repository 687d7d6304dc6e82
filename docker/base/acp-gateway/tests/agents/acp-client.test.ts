import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/gateway-error.ts";
import type { JsonObject } from "../../src/wire/index.ts";
import { bareClient, listener } from "./support.ts";

describe("our requests", () => {
  test("answers find their requests in any order, and null is an empty result", async () => {
    const { client, say, sent } = bareClient();
    const asked = [client.request("a", {}), client.request("b", { x: 1 }), client.request("c", {})];
    expect(sent).toEqual([
      { jsonrpc: "2.0", id: 1, method: "a", params: {} },
      { jsonrpc: "2.0", id: 2, method: "b", params: { x: 1 } },
      { jsonrpc: "2.0", id: 3, method: "c", params: {} },
    ]);
    say(
      { jsonrpc: "2.0", id: 3, result: null },
      { jsonrpc: "2.0", id: 1, result: { one: 1 } },
      { id: 2, result: { two: 2 } },
    );
    expect(await Promise.all(asked)).toEqual([{ one: 1 }, { two: 2 }, {}]);
  });

  test("a refusal keeps the agent's code and data with secrets blanked, and -32000 asks for credentials", async () => {
    const { client, say } = bareClient();
    const refused = client.request("a", {}).catch((error: unknown) => error);
    const auth = client
      .request("authenticate", { methodId: "k", _meta: { key: "sk-1234567" } })
      .catch((error: unknown) => error);
    const odd = client.request("c", {}).catch((error: unknown) => error);
    say({ jsonrpc: "2.0", id: 1, error: { code: -32603, message: "key hush-hush", data: { k: ["hush-hush", 1] } } });
    say({ jsonrpc: "2.0", id: 2, error: { code: -32000, message: "sk-1234567 is wrong" } });
    say({ jsonrpc: "2.0", id: 3, error: "no" });
    expect(await refused).toMatchObject({
      code: "agent_error",
      details: { rpc: { code: -32603, message: "key [secret]", data: { k: ["[secret]", 1] } } },
    });
    expect(await auth).toMatchObject({
      code: "auth_required",
      message: "bare refused authenticate: [secret] is wrong",
    });
    expect(await odd).toMatchObject({ code: "agent_protocol" });
  });

  test("what cannot be written as JSON fails its own request alone, and once", async () => {
    const { client, say, sent } = bareClient();
    const round: JsonObject = {};
    round["self"] = round;
    const failed = (async () => client.request("a", round, { timeoutMs: 5 }))();
    await expect(failed).rejects.toThrow();
    // A request that was left behind would fail a second time here, with nobody to hear it.
    await Bun.sleep(20);
    expect(sent).toEqual([]);
    const next = client.request("b", {});
    say({ jsonrpc: "2.0", id: (sent[0] as { id: number }).id, result: {} });
    expect(await next).toEqual({});
  });

  test("an abort and a timeout end the wait, tell the agent, and a late answer does no harm", async () => {
    const { client, say, sent, counters } = bareClient();
    const abort = new AbortController();
    const aborted = client.request("a", {}, { signal: abort.signal }).catch((error: unknown) => error);
    const late = client.request("b", {}, { timeoutMs: 5 }).catch((error: unknown) => error);
    abort.abort();
    expect(await aborted).toMatchObject({ name: "AbortError" });
    expect(await late).toMatchObject({ code: "agent_timeout" });
    expect(sent.slice(2)).toEqual([
      { jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: 1 } },
      { jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: 2 } },
    ]);
    say({ jsonrpc: "2.0", id: 1, result: {} }, { jsonrpc: "2.0", id: 2, result: {} });
    expect(counters.malformedMessages).toBe(0);
    say({ jsonrpc: "2.0", id: 99, result: {} });
    expect(counters.malformedMessages).toBe(1);
  });
});

describe("the agent's requests", () => {
  const ask = (id: unknown) => ({ jsonrpc: "2.0", id, method: "x/ask", params: { sessionId: "s1" } });

  test("an answer has the id as it came: a string, a number or null", async () => {
    const { client, say, sent } = bareClient();
    client.attach("s1", listener(async () => ({ fine: true })).handlers);
    for (const id of ["1", 1, 0, -3, null, "", 1.5]) {
      say(ask(id));
      await Bun.sleep(0);
      expect(sent.at(-1)).toEqual({ jsonrpc: "2.0", id, result: { fine: true } });
    }
  });

  test("errors of ours have codes the agent knows, and unexpected ones tell nothing", async () => {
    const { client, say, sent } = bareClient();
    const errors = [
      new GatewayError("file_not_found", "no such file"),
      new GatewayError("not_supported", "not here"),
      new GatewayError("agent_error", "x", { rpc: { code: -5, message: "mine", data: 1 } }),
      new Error("a secret path"),
    ];
    client.attach("s1", listener(() => Promise.reject(errors.shift())).handlers);
    say(ask(1), ask(2), ask(3), ask(4));
    await Bun.sleep(0);
    expect(sent.map(({ error }) => error)).toEqual([
      { code: -32002, message: "no such file" },
      { code: -32601, message: "not here" },
      { code: -5, message: "mine", data: 1 },
      { code: -32603, message: "Internal error" },
    ]);
  });

  test("the agent can cancel its request; its end cancels all", async () => {
    const { client, say, sent } = bareClient();
    const { heard, handlers } = listener((_method, _params, signal) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => reject(new Error("over")));
      return promise;
    });
    client.attach("s1", handlers);
    say(ask("7"), ask(7), { jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: "7" } });
    await Bun.sleep(0);
    expect(sent).toEqual([{ jsonrpc: "2.0", id: "7", error: { code: -32800, message: "the request was cancelled" } }]);
    expect(heard.requests.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    client.fail(new GatewayError("agent_exited", "gone"));
    expect(heard.requests[1]?.signal.aborted).toBe(true);
    await expect(client.request("a", {})).rejects.toMatchObject({ code: "agent_exited" });
  });

  test("a request without a session goes to the only one, or is refused", async () => {
    const { client, say, sent } = bareClient();
    const first = listener();
    client.attach("s1", first.handlers);
    say({ jsonrpc: "2.0", id: 1, method: "x/drain" });
    expect(first.heard.requests).toHaveLength(1);
    const second = listener();
    client.attach("s2", second.handlers);
    say({ jsonrpc: "2.0", id: 2, method: "x/drain" }, { jsonrpc: "2.0", method: "x/status" });
    expect(sent).toContainEqual(expect.objectContaining({ id: 2, error: expect.objectContaining({ code: -32601 }) }));
    expect([first.heard.notifications.length, second.heard.notifications.length]).toEqual([1, 1]);
    void client.request("session/load", { sessionId: "s2" });
    say({ jsonrpc: "2.0", id: 3, method: "elicitation/create", params: { requestId: 1 } });
    expect(second.heard.requests).toHaveLength(1);
  });
});

describe("what is no message", () => {
  test("noise is counted, never answered, and logged once", () => {
    const { say, sent, counters, logged } = bareClient();
    say(
      "npm warn deprecated",
      "",
      "   ",
      "{",
      "[1,",
      "42",
      "null",
      '"text"',
      '{"level":"info","msg":"up"}',
      "\u0000\u0001",
    );
    expect(counters).toMatchObject({ noiseLines: 8, malformedMessages: 0 });
    expect(sent).toEqual([]);
    expect(logged).toHaveLength(1);
  });

  test("a batch is refused: its requests by their ids, and answers in it fail what waits for them", async () => {
    const { client, say, sent, counters } = bareClient();
    const waiting = client.request("a", {}).catch((error: unknown) => error);
    sent.length = 0;
    say(
      '[{"jsonrpc":"2.0","id":"q","method":"x"},{"jsonrpc":"2.0","id":9,"method":"y"},{"jsonrpc":"2.0","id":1,"result":{}}]',
      "[]",
    );
    expect(sent.map(({ id }) => id)).toEqual(["q", 9, null]);
    expect(sent.every(({ error }) => JSON.stringify(error).includes("-32600"))).toBe(true);
    expect(await waiting).toMatchObject({ code: "agent_error" });
    expect(counters.malformedMessages).toBe(2);
  });

  test("a malformed message is answered -32600 where it has an id", () => {
    const { say, sent, counters } = bareClient();
    say(
      { jsonrpc: "2.0", id: 4 },
      { jsonrpc: "2.0", id: "p", method: "x", params: [1] },
      { jsonrpc: "2.0", id: { a: 1 }, method: "x" },
      { jsonrpc: "2.0", method: "session/update", params: { update: {} } },
      { jsonrpc: "2.0" },
    );
    expect(sent.map(({ id, error }) => [id, (error as { code: number }).code])).toEqual([
      [4, -32600],
      ["p", -32600],
      [null, -32600],
    ]);
    expect(counters.malformedMessages).toBe(5);
  });
});

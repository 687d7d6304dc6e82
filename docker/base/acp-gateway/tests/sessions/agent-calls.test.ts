import { join } from "node:path";
import { expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, refusal, world } from "./support.ts";

test("mode and options can be set, also while a prompt runs and when the process is gone", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId } = await w.send(id, "hang");
  await w.event(id, "prompt_started");
  expect((await w.manager.setMode(id, "ask")).modes?.["currentModeId"]).toBe("ask");
  expect((await w.manager.setConfig(id, "model", "large")).configOptions).toMatchObject([{ currentValue: "large" }]);
  await w.manager.cancel(id);
  await w.ended(id, promptId);
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await until(() => w.manager.get(id).status === "dormant");
  expect((await w.manager.setMode(id, "auto")).modes?.["currentModeId"]).toBe("auto");
  expect((await refusal(w.manager.setMode(id, "none"))).details.errors).toMatchObject([{ path: "/mode" }]);
  expect((await refusal(w.manager.setConfig(id, "none", "x"))).code).toBe("invalid_request");
});

test("a method the gateway does not know reaches the agent with the agent's session id", async () => {
  await using w = await world();
  const { id, agentSessionId } = await w.create();
  expect(await w.manager.call(id, "x/echo", { sessionId: id, n: 1 })).toEqual({
    echo: { sessionId: agentSessionId, n: 1 },
  });
  expect(await w.manager.call(id, "x/echo", { n: 1 })).toEqual({ echo: { n: 1 } });
  const refused = await refusal(w.manager.call(id, "x/none", {}));
  expect(refused).toMatchObject({ code: "agent_error", details: { rpc: { code: -32601 } } });
  for (const method of ["session/prompt", "session/new", "initialize", "$/cancel_request", "session/cancel"]) {
    expect((await refusal(w.manager.call(id, method, {}))).code).toBe("not_supported");
  }
  expect((await refusal(w.manager.call(id, "a b", {}))).code).toBe("invalid_request");
});

test("a session whose agent has forgotten its credentials is opened with new ones", async () => {
  await using w = await world({ agents: [agent("scripted", ["--auth"])] });
  const { id } = await w.create({ auth: { methodId: "key" } });
  await w.manager.call(id, "logout", {});
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await until(() => w.manager.get(id).status === "dormant");
  await w.manager.call(id, "authenticate", { methodId: "key" });
  expect(w.manager.get(id).status).toBe("idle");
  expect((await refusal(w.manager.call(id, "authenticate", { methodId: "login" }))).message).toContain("terminal");
  const wrong = await refusal(w.manager.call(id, "authenticate", { methodId: "wrong" }));
  expect(wrong.details.rpc?.code).toBe(-32602);
});

test("an agent's reads and writes of files stay in the session's folders", async () => {
  await using w = await world();
  await Bun.write(join(w.workspace, "a.txt"), "one\ntwo\nthree\n");
  await Bun.write(join(w.state, "outside.txt"), "no");
  const { id } = await w.create();
  const path = (name: string) => join(w.workspace, name);
  const call = async (method: string, params: object) =>
    JSON.parse((await w.run(id, `call ${method} ${JSON.stringify(params)}`)).text) as {
      content?: string;
      error?: string;
    };
  expect(await call("fs/read_text_file", { path: path("a.txt"), line: 2, limit: 1 })).toMatchObject({
    content: "two\n",
  });
  expect(await call("fs/write_text_file", { path: path("new/b.txt"), content: "hi" })).toEqual({});
  expect(await Bun.file(path("new/b.txt")).text()).toBe("hi");
  expect((await call("fs/read_text_file", { path: join(w.state, "outside.txt") })).error).toBeString();
  expect((await call("fs/read_text_file", { path: path("../state/outside.txt") })).error).toBeString();
  expect((await call("fs/read_text_file", { path: path("absent") })).error).toBeString();
  expect((await call("fs/write_text_file", { path: path("x") })).error).toContain("content");
});

test("what the gateway does not offer is refused and is an event; an unknown notification is one too", async () => {
  await using w = await world();
  const { id } = await w.create();
  expect((await w.run(id, "call terminal/create {}")).text).toContain("no method terminal/create");
  expect((await w.event(id, "agent_request")).data).toEqual({ method: "terminal/create", params: { sessionId: id } });
  await w.run(id, "notify _x/hello");
  expect((await w.event(id, "agent_notification")).data).toEqual({
    method: "_x/hello",
    params: { sessionId: id, by: "scripted" },
  });
});

import { expect, test } from "bun:test";
import { agent, caller, refusal, world } from "./support.ts";

test("the same Idempotency-Key gives the same prompt, at once, later and after a restart", async () => {
  await using w = await world();
  const { id } = await w.create();
  const send = (text: string, idempotencyKey: string) => w.manager.prompt(id, { text }, { caller, idempotencyKey });
  const [first, again] = await Promise.all([send("text one", "k1"), send("text one", "k1")]);
  expect(again.promptId).toBe(first.promptId);
  expect(again.seq).toBe(first.seq);
  await w.ended(id, first.promptId);
  expect(await send("text one", "k1")).toEqual({ promptId: first.promptId, seq: first.seq, status: "finished" });
  expect((await refusal(send("text two", "k1"))).code).toBe("idempotency_conflict");
  expect((await send("text one", "k2")).promptId).not.toBe(first.promptId);
  const other = await w.create();
  const elsewhere = await w.manager.prompt(other.id, { text: "text one" }, { caller, idempotencyKey: "k1" });
  expect(elsewhere.promptId).not.toBe(first.promptId);
  await w.restart();
  expect((await send("text one", "k1")).promptId).toBe(first.promptId);
  expect((await refusal(send("text two", "k1"))).code).toBe("idempotency_conflict");
  expect((await refusal(send("x", ""))).code).toBe("invalid_request");
});

test("only as many prompts wait as the limit allows, and none is lost for it", async () => {
  await using w = await world({ limits: { queuedPrompts: 2 } });
  const { id } = await w.create();
  const running = await w.send(id, "hang");
  const waiting = [await w.send(id, "text a"), await w.send(id, "text b")];
  expect((await refusal(w.send(id, "text c"))).code).toBe("too_many_prompts");
  await w.manager.cancel(id, { promptId: running.promptId });
  for (const { promptId } of waiting) expect((await w.ended(id, promptId)).status).toBe("finished");
});

test("content the agent does not take is refused; what it takes is passed on as it is", async () => {
  await using w = await world({ agents: [agent("scripted"), agent("seeing", ["--images"])] });
  const plain = await w.create();
  const seeing = await w.create({ agent: "seeing" });
  const image = { type: "image", data: "AAAA", mimeType: "image/png" };
  const text = { type: "text", text: "text seen" };
  const send = (id: string, content: { type: string }[]) => w.manager.prompt(id, { content }, { caller });
  const refused = await refusal(send(plain.id, [text, image]));
  expect(refused).toMatchObject({ code: "not_supported", details: { errors: [{ path: "/content/1" }] } });
  expect(
    (await refusal(send(plain.id, [{ type: "audio", data: "A", mimeType: "audio/wav" } as { type: string }]))).code,
  ).toBe("not_supported");
  const { promptId } = await send(seeing.id, [text, image]);
  expect(await w.ended(seeing.id, promptId)).toMatchObject({ text: "seenHello.", content: [text, image] });
  const malformed = await refusal(send(plain.id, [{ type: "text" }, { type: "resource_link" }, { type: "resource" }]));
  expect(malformed.code).toBe("invalid_request");
  expect(malformed.details.errors?.map(({ path }) => path)).toEqual([
    "/content/0/text",
    "/content/1/uri",
    "/content/1/name",
    "/content/2/resource",
  ]);
  const link = { type: "resource_link", uri: "file:///x", name: "x" };
  const resource = { type: "resource", resource: { uri: "file:///x", text: "x" } };
  expect((await w.ended(plain.id, (await send(plain.id, [text, link, resource])).promptId)).status).toBe("finished");
});

test("a prompt stays what it was: listed the newest first, also after a restart", async () => {
  await using w = await world();
  const { id } = await w.create();
  const sent: string[] = [];
  for (const text of ["text a", "error -32603 b", "text c"]) sent.push((await w.run(id, text)).promptId);
  const check = () => {
    const first = w.manager.listPrompts(id, { limit: 2 });
    expect(first.prompts.map(({ promptId, status }) => [promptId, status])).toEqual([
      [sent[2] ?? "", "finished"],
      [sent[1] ?? "", "failed"],
    ]);
    const cursor = first.nextCursor ?? "";
    expect(w.manager.listPrompts(id, { limit: 2, cursor })).toMatchObject({
      prompts: [{ promptId: sent[0] }],
      nextCursor: null,
    });
  };
  check();
  await w.restart();
  check();
  expect(await w.ended(id, sent[0] ?? "")).toMatchObject({ text: "a", stopReason: "end_turn" });
  expect(() => w.manager.getPrompt(id, "prm_0")).toThrow("no prompt");
  const other = await w.create();
  expect(() => w.manager.getPrompt(other.id, sent[0] ?? "")).toThrow("no prompt");
});

test("the answer has the turn's text and tool calls, and nothing of other turns", async () => {
  await using w = await world();
  const { id } = await w.create({ permissionPolicy: { mode: "allow-all" } });
  await w.run(id, "text before");
  const answer = await w.run(id, "think hm\ntext I will\nask edit a.ts\ntext  done");
  expect(answer.text).toBe("I will[selected once] done");
  expect(answer.toolCalls).toMatchObject([{ kind: "edit", title: "edit a.ts", status: "completed" }]);
});

test("the transcript has who said what, with thoughts, tool calls and plans, and cuts what is long", async () => {
  await using w = await world();
  const { id } = await w.create();
  await w.run(id, 'text Hello\nthink hm\nupdate {"sessionUpdate":"plan","entries":[{"content":"a"}]}');
  await w.run(
    id,
    `update {"sessionUpdate":"tool_call","toolCallId":"c","title":"Run","kind":"execute","rawOutput":"${"x".repeat(40_000)}"}
update {"sessionUpdate":"tool_call_update","toolCallId":"c","status":"completed","title":null}
update {"sessionUpdate":"plan","entries":[{"content":"b"}]}`,
  );
  const running = await w.send(id, "text last\nhang");
  await w.send(id, "text waits");
  await w.event(id, "agent_message_chunk", ({ promptId }) => promptId === running.promptId);
  await w.manager.cancel(id, { queued: true });
  await w.ended(id, running.promptId);
  const { messages } = await w.manager.transcript(id);
  expect(messages.filter(({ promptId }) => promptId !== null).map(({ role }) => role)).toEqual([
    "user",
    "agent",
    "user",
    "agent",
    "user",
    "agent",
  ]);
  const parts = messages.map((message) => message["parts"]);
  expect(parts[1]).toEqual([
    { type: "text", text: "Hello" },
    { type: "thought", text: "hm" },
    { type: "plan", entries: [{ content: "a" }] },
  ]);
  expect(parts[3]).toMatchObject([
    {
      type: "tool_call",
      toolCallId: "c",
      title: "Run",
      status: "completed",
      rawOutput: expect.stringContaining("more characters"),
    },
    { type: "plan", entries: [{ content: "b" }] },
  ]);
  expect(messages.at(-1)).toMatchObject({
    role: "agent",
    status: "cancelled",
    parts: [{ type: "text", text: "last" }],
  });
});

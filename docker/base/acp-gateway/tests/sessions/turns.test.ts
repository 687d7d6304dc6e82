import { expect, test } from "bun:test";
import { agent, caller, refusal, world } from "./support.ts";

test("a prompt becomes a turn: queued, started, its updates as they came, finished", async () => {
  await using w = await world();
  const session = await w.create();
  expect(session).toMatchObject({ agent: "scripted", status: "idle", title: null, queuedPrompts: 0, env: [] });
  const { promptId, seq } = await w.send(session.id, "text one\ntext two");
  const answer = await w.ended(session.id, promptId);
  expect(answer).toMatchObject({ promptId, seq, status: "finished", stopReason: "end_turn", text: "onetwo" });
  expect(answer.usage).toEqual({ totalTokens: 3 });
  const turn = (await w.events(session.id)).filter((event) => event.promptId === promptId);
  expect(turn.map(({ type }) => type)).toEqual([
    "prompt_queued",
    "prompt_started",
    "agent_message_chunk",
    "agent_message_chunk",
    "prompt_finished",
  ]);
  expect(turn[0]?.seq).toBe(seq);
  expect(turn[1]?.data).toEqual({ promptId, content: [{ type: "text", text: "text one\ntext two" }] });
  expect(turn[2]?.update).toEqual({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "one" } });
});

test("the log of a new session begins with session_created, and has what the agent said before its answer", async () => {
  await using w = await world();
  const { id, agentSessionId } = await w.create({ title: "Mine" });
  await w.run(id, "text x");
  const types = await w.types(id);
  expect(types.slice(0, 4)).toEqual([
    "session_created",
    "agent_started",
    "session_opened",
    "available_commands_update",
  ]);
  const [created, , opened] = await w.events(id);
  expect(created?.data?.["session"]).toMatchObject({ id, title: "Mine", agentSessionId });
  expect(opened?.data).toEqual({ how: "new", agentSessionId });
});

test("two prompts at once run one after the other, in the order they came", async () => {
  await using w = await world();
  const { id } = await w.create();
  const [first, second] = await Promise.all([w.send(id, "say 3 20"), w.send(id, "text second")]);
  expect(w.manager.get(id)).toMatchObject({ status: "running", runningPromptId: first.promptId, queuedPrompts: 1 });
  await Promise.all([w.ended(id, first.promptId), w.ended(id, second.promptId)]);
  const order = (await w.events(id))
    .filter(({ type }) => type.startsWith("prompt_") && type !== "prompt_queued")
    .map(({ type, promptId }) => `${type} ${promptId === first.promptId ? 1 : 2}`);
  expect(order).toEqual(["prompt_started 1", "prompt_finished 1", "prompt_started 2", "prompt_finished 2"]);
});

test("an agent never has two prompts of a session at once, whatever is sent and cancelled", async () => {
  await using w = await world({ limits: { queuedPrompts: 64 } });
  const { id } = await w.create();
  let seed = 7;
  const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const sent: string[] = [];
  for (let n = 0; n < 40; n++) {
    const policy = (["queue", "cancel-previous"] as const)[next(2)] ?? "queue";
    await w.manager.patch(id, { queuePolicy: policy }, caller);
    const script = ["text a", "say 2 3", "hang", "error -32603 no"][next(4)] ?? "";
    const { promptId } = await w.send(id, script === "hang" && policy === "queue" ? "text b" : script);
    sent.push(promptId);
    if (next(4) === 0) await w.manager.cancel(id, { queued: next(2) === 0 });
    if (next(3) === 0) await Bun.sleep(next(8));
  }
  await w.manager.cancel(id, { queued: true });
  const answers = await Promise.all(sent.map((promptId) => w.ended(id, promptId)));
  // The scripted agent refuses a prompt that comes while another runs.
  expect(answers.filter(({ error }) => error?.message.includes("two prompts at once"))).toEqual([]);
  let running: string | undefined;
  for (const { type, promptId } of await w.events(id)) {
    if (type === "prompt_started") {
      expect(running).toBeUndefined();
      running = promptId;
    } else if (/^prompt_(finished|failed|cancelled)$/.test(type) && promptId === running) running = undefined;
  }
  expect((await w.run(id, "text after")).text).toBe("after");
}, 30_000);

test("with reject a second prompt is refused while one runs", async () => {
  await using w = await world();
  const { id } = await w.create({ queuePolicy: "reject" });
  const { promptId } = await w.send(id, "hang");
  expect((await refusal(w.send(id, "text no"))).code).toBe("prompt_running");
  await w.manager.cancel(id);
  expect((await w.ended(id, promptId)).status).toBe("cancelled");
  expect((await w.run(id, "text yes")).text).toBe("yes");
});

test("with cancel-previous a prompt takes the place of what runs and waits", async () => {
  await using w = await world();
  const { id } = await w.create();
  const running = await w.send(id, "hang");
  const waiting = await w.send(id, "text waits");
  await w.manager.patch(id, { queuePolicy: "cancel-previous" }, caller);
  expect((await w.run(id, "text last")).text).toBe("last");
  expect(w.manager.getPrompt(id, running.promptId).status).toBe("cancelled");
  expect(w.manager.getPrompt(id, waiting.promptId)).toMatchObject({ status: "cancelled", startedAt: null });
});

test("a cancel ends the running prompt; with queued also those that wait; with an id just that one", async () => {
  await using w = await world();
  const { id } = await w.create();
  const [a, b, c] = [await w.send(id, "hang"), await w.send(id, "text b"), await w.send(id, "text c")];
  expect(await w.manager.cancel(id, { promptId: b.promptId })).toEqual({ cancelled: [b.promptId] });
  expect(w.manager.get(id).queuedPrompts).toBe(1);
  expect((await w.manager.cancel(id, { queued: true })).cancelled).toEqual([a.promptId, c.promptId]);
  const ended = await w.ended(id, a.promptId);
  expect(ended).toMatchObject({ status: "cancelled", stopReason: "cancelled" });
  expect(w.manager.getPrompt(id, c.promptId).status).toBe("cancelled");
  expect(await w.manager.cancel(id)).toEqual({ cancelled: [] });
  expect(await w.manager.cancel(id, { promptId: a.promptId })).toEqual({ cancelled: [] });
  expect((await refusal(w.manager.cancel(id, { promptId: "prm_0" }))).code).toBe("prompt_not_found");
});

test("an agent that hears no cancel is killed after the grace, and the next prompt works", async () => {
  await using w = await world({ timing: { cancelGraceMs: 150 } });
  const { id } = await w.create();
  await w.run(id, "text before");
  const { promptId } = await w.send(id, "deaf");
  await w.event(id, "prompt_started", (event) => event.promptId === promptId);
  const pid = w.agents.running()[0]?.pid;
  await w.manager.cancel(id);
  expect((await w.ended(id, promptId)).status).toBe("cancelled");
  const cancelled = await w.event(id, "prompt_cancelled");
  expect(cancelled.data).toMatchObject({ promptId, forced: true });
  const told = await w.event(id, "session_updated", ({ data }) => data?.["status"] !== undefined);
  expect(told.data).toEqual({ status: "dormant" });
  expect((await w.run(id, "text after")).text).toBe("after");
  expect(w.agents.running()[0]?.pid).not.toBe(pid);
  expect((await w.event(id, "session_opened", ({ data }) => data?.["how"] === "load")).data).not.toHaveProperty(
    "contextLost",
  );
});

test("an agent's refusal of a prompt is told with its code, and the session goes on", async () => {
  await using w = await world();
  const { id } = await w.create();
  const answer = await w.run(id, "error -32603 the model is down");
  expect(answer).toMatchObject({
    status: "failed",
    error: { code: "agent_error", rpc: { code: -32603, message: "the model is down" } },
  });
  expect((await w.run(id, "error -32000 log in")).error?.code).toBe("auth_required");
  expect((await w.run(id, "stop refusal")).stopReason).toBe("refusal");
});

test("waiting gives what the prompt is when the time is over, and the answer when it has ended", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId } = await w.send(id, "text so far\nsleep 60000");
  await w.event(id, "agent_message_chunk");
  expect(await w.manager.waitForPrompt(id, promptId, 20)).toMatchObject({ status: "running", promptId });
  expect(await w.manager.waitForPrompt(id, promptId, 60_000, AbortSignal.timeout(20))).not.toHaveProperty("text");
  await w.manager.cancel(id);
  expect(await w.ended(id, promptId)).toMatchObject({ status: "cancelled", text: "so far" });
});

test("an update the gateway does not know is an event like any other; the gateway's own names are not taken", async () => {
  await using w = await world();
  const { id } = await w.create();
  const odd = { sessionUpdate: "brand_new_thing", deep: { a: [1, null] } };
  const spoof = { sessionUpdate: "prompt_finished", promptId: "x" };
  const strange = { sessionUpdate: "No Such\nName" };
  await w.run(id, [odd, spoof, strange].map((update) => `update ${JSON.stringify(update)}`).join("\n"));
  expect((await w.event(id, "brand_new_thing")).update).toEqual(odd);
  const others = (await w.events(id)).filter(({ type }) => type === "agent_update");
  expect(others.map(({ update }) => update)).toEqual([spoof, strange]);
  expect((await w.types(id)).filter((type) => type === "prompt_finished")).toHaveLength(1);
});

test("updates of mode, options, title, commands and usage also change what the session says", async () => {
  await using w = await world();
  const { id } = await w.create();
  const updates = [
    { sessionUpdate: "current_mode_update", currentModeId: "ask" },
    { sessionUpdate: "session_info_update", title: "Fix the build" },
    { sessionUpdate: "usage_update", used: 10, size: 100 },
    { sessionUpdate: "available_commands_update", availableCommands: [{ name: "plan", description: "Plans" }] },
    { sessionUpdate: "config_option_update", configOptions: [{ id: "effort", type: "boolean", currentValue: true }] },
  ];
  await w.run(id, updates.map((update) => `update ${JSON.stringify(update)}`).join("\n"));
  const expected = {
    title: "Fix the build",
    usage: { used: 10, size: 100 },
    availableCommands: [{ name: "plan", description: "Plans" }],
    configOptions: [{ id: "effort", type: "boolean", currentValue: true }],
  };
  expect(w.manager.get(id)).toMatchObject({ ...expected, modes: { currentModeId: "ask" } });
  await w.restart();
  expect(w.manager.get(id)).toMatchObject({ ...expected, status: "dormant" });
  await w.manager.patch(id, { title: "Mine" }, caller);
  await w.run(id, `update {"sessionUpdate":"session_info_update","title":"Theirs"}`);
  expect(w.manager.get(id).title).toBe("Mine");
});

test("agents of different ids run side by side", async () => {
  await using w = await world({ agents: [agent("scripted"), agent("other")] });
  const [one, two] = await Promise.all([w.create(), w.create({ agent: "other" })]);
  const [a, b] = await Promise.all([w.pid(one.id), w.pid(two.id)]);
  expect(a).not.toBe(b);
  expect(w.manager.list({ agent: "other", limit: 10 }).sessions.map(({ id }) => id)).toEqual([two.id]);
});

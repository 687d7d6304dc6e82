import { expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, refusal, world, type World } from "./support.ts";

const kill = (w: World) => process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");

test("an agent killed in mid-prompt fails it within a second, and the next prompt works after a load", async () => {
  await using w = await world();
  const { id, agentSessionId } = await w.create();
  await w.run(id, "text before");
  const { promptId } = await w.send(id, "text half\nhang");
  await w.event(id, "agent_message_chunk", (event) => event.promptId === promptId);
  const killedAt = Date.now();
  kill(w);
  const failed = await w.event(id, "prompt_failed");
  expect(Date.parse(failed.time) - killedAt).toBeLessThan(1000);
  expect(failed.data).toMatchObject({
    promptId,
    error: { code: "agent_exited" },
    exit: { code: null, signal: "SIGKILL", stderrTail: "" },
  });
  expect(await w.ended(id, promptId)).toMatchObject({ status: "failed", text: "half" });
  expect(w.manager.get(id).status).toBe("dormant");
  const before = (await w.events(id)).at(-1)?.seq ?? 0;
  expect((await w.run(id, "text again")).text).toBe("again");
  const after = await w.events(id, before);
  expect(after.map(({ type }) => type)).toEqual([
    "prompt_queued",
    "prompt_started",
    "agent_started",
    "session_opened",
    "agent_message_chunk",
    "prompt_finished",
  ]);
  expect(after.find(({ type }) => type === "session_opened")?.data).toEqual({ how: "load", agentSessionId });
});

test("what the agent said on stderr stands in the failure", async () => {
  await using w = await world();
  const { id } = await w.create();
  const answer = await w.run(id, "crash segmentation fault, core dumped");
  expect(answer.error).toMatchObject({ code: "agent_exited", message: expect.stringContaining("core dumped") });
  expect((await w.event(id, "agent_exited")).data).toMatchObject({
    signal: "SIGKILL",
    stderrTail: expect.stringContaining("core dumped"),
  });
});

test("prompts that wait behind a crash run in the agent's next process", async () => {
  await using w = await world();
  const { id } = await w.create();
  const first = await w.send(id, "exit 3");
  const second = await w.send(id, "text second");
  expect((await w.ended(id, first.promptId)).error?.message).toContain("exit code 3");
  expect((await w.ended(id, second.promptId)).text).toBe("second");
});

test("with a client attached the agent is started again by itself", async () => {
  await using w = await world();
  const { id } = await w.create();
  await w.run(id, "text x");
  const detach = w.manager.attach(id);
  const pid = w.agents.running()[0]?.pid;
  kill(w);
  await w.event(id, "agent_restarting");
  await until(() => w.manager.get(id).status === "idle" && w.agents.running()[0]?.pid !== pid);
  detach();
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
});

test("an agent that cannot load is given a new session, and the log says that its context is lost", async () => {
  await using w = await world({ agents: [agent("scripted", ["--no-load"])] });
  const { id, agentSessionId } = await w.create();
  await w.run(id, "text remember this");
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
  expect((await w.run(id, "text new")).text).toBe("new");
  const opened = await w.event(id, "session_opened", ({ data }) => data?.["contextLost"] === true);
  expect(opened.data).toMatchObject({ how: "new", previousAgentSessionId: agentSessionId });
  expect(w.manager.get(id).agentSessionId).not.toBe(agentSessionId);
  await w.manager.close(id);
  expect((await refusal(w.manager.open(id, "load"))).code).toBe("not_supported");
});

test("nothing is lost with the context of a session that was never prompted", async () => {
  await using w = await world({ agents: [agent("scripted", ["--no-load"])] });
  const { id } = await w.create();
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
  await w.run(id, "text x");
  const [, opened] = (await w.events(id)).filter(({ type }) => type === "session_opened");
  expect(opened?.data).toMatchObject({ how: "new", contextLost: false });
});

test("an agent that has lost the session itself is given a new one", async () => {
  await using w = await world({
    agents: [
      agent("scripted", [], {
        env: { SCRIPTED_AGENT_STATE: "" },
        quirks: {
          advertiseFs: false,
          cancelsOnSecondPrompt: false,
          loads: true,
          resumes: false,
        },
      }),
    ],
  });
  const { id } = await w.create();
  await w.run(id, "text x");
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
  expect((await w.run(id, "text y")).text).toBe("y");
  expect((await w.event(id, "session_opened", ({ data }) => data?.["contextLost"] === true)).data?.["how"]).toBe("new");
});

test("mode and options are set again after a crash, before the next prompt is sent", async () => {
  await using w = await world();
  const { id } = await w.create({ mode: "ask", model: "large" });
  await w.run(id, "text x");
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
  // In mode ask the scripted agent writes only with permission.
  const { promptId } = await w.send(id, "write a.txt hello");
  await until(() => w.manager.permissions(id, "pending").length === 1);
  expect(w.manager.get(id)).toMatchObject({
    modes: { currentModeId: "ask" },
    configOptions: [{ id: "model", currentValue: "large" }],
  });
  await w.manager.cancel(id);
  await w.ended(id, promptId);
});

test("an agent that does not come up is tried again, then the session is failed until the next prompt", async () => {
  const good = agent("scripted");
  const broken = { ...good, command: [...good.command] as [string, ...string[]] };
  await using w = await world({ agents: [broken] });
  const { id } = await w.create();
  await w.run(id, "text x");
  kill(w);
  await until(() => w.manager.get(id).status === "dormant");
  const entry = w.agents.entry("scripted");
  if (!entry) throw new Error("no entry");
  const command = entry.command;
  Object.assign(entry, { command: [...command, "--exit", "7"] });
  const [one, two] = [await w.send(id, "text one"), await w.send(id, "text two")];
  const failed = await Promise.all([w.ended(id, one.promptId), w.ended(id, two.promptId)]);
  for (const answer of failed) expect(answer.error?.code).toMatch(/^agent_(exited|unavailable)$/);
  expect(w.manager.get(id)).toMatchObject({ status: "failed", error: { code: failed[0]?.error?.code } });
  const types = await w.types(id);
  expect(types.filter((type) => type === "agent_restarting").length).toBeGreaterThan(1);
  expect(types.filter((type) => type === "session_failed")).toHaveLength(1);
  await until(async () => {
    const refused = await refusal(w.create());
    return refused.code === "agent_unavailable";
  });
  Object.assign(entry, { command });
});

test("the breaker's refusal fails a prompt at once and is over after a while", async () => {
  const agentTiming = { backoffMs: [1, 2] as [number, number], failuresMax: 2, openMs: 400 };
  await using w = await world({ agentTiming, timing: { openAttempts: 5 } });
  const { id } = await w.create();
  await w.run(id, "text x");
  for (let n = 0; n < 2; n++) await w.run(id, "crash now");
  const answer = await w.run(id, "text too soon");
  expect(answer.error?.code).toBe("agent_unavailable");
  expect(w.manager.get(id).status).toBe("failed");
  await until(async () => (await w.run(id, "text back")).status === "finished");
  expect(w.manager.get(id)).toMatchObject({ status: "idle", error: null });
});

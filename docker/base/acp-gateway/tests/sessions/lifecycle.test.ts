import { expect, test } from "bun:test";
import { alive } from "../agents/support.ts";
import { until } from "../support/gateway.ts";
import { caller, refusal, world } from "./support.ts";

test("closing cancels what runs and waits, ends the process and keeps the log", async () => {
  await using w = await world();
  const { id } = await w.create();
  const pid = await w.pid(id);
  const running = await w.send(id, "hang");
  const waiting = await w.send(id, "text never");
  const closed = await w.manager.close(id);
  expect(closed).toMatchObject({ status: "closed", runningPromptId: null, queuedPrompts: 0 });
  for (const { promptId } of [running, waiting]) expect(w.manager.getPrompt(id, promptId).status).toBe("cancelled");
  await until(() => !alive(pid));
  expect((await w.types(id)).at(-1)).toBe("session_closed");
  expect((await refusal(w.send(id, "text x"))).code).toBe("session_closed");
  expect((await refusal(w.manager.setMode(id, "ask"))).code).toBe("session_closed");
  expect((await w.manager.close(id)).status).toBe("closed");
  expect((await w.manager.open(id, "load")).status).toBe("idle");
  expect((await w.run(id, "text again")).text).toBe("again");
});

test("a turn that hears no cancel does not hold up the closing of its session", async () => {
  await using w = await world({ timing: { closeGraceMs: 100 } });
  const { id } = await w.create();
  const { promptId } = await w.send(id, "deaf");
  await w.event(id, "prompt_started");
  await w.manager.close(id);
  expect(w.manager.getPrompt(id, promptId).status).toBe("cancelled");
  await until(() => w.agents.running().length === 0);
});

test("removing takes the log and everything else of the session away, also while it runs", async () => {
  await using w = await world();
  const { id } = await w.create();
  const kept = await w.create();
  const pid = await w.pid(id);
  const { promptId } = await w.send(id, "ask edit x");
  await until(() => w.manager.permissions(id, "pending").length === 1);
  const before = w.log.lastSeq();
  await w.manager.remove(id);
  expect((await w.events(undefined, before)).map(({ type }) => type)).toContain("session_deleted");
  await until(() => !alive(pid));
  expect(await w.types(id)).toEqual(["gap", "session_deleted"]);
  for (const call of [
    () => w.manager.get(id),
    () => w.manager.getPrompt(id, promptId),
    () => w.manager.permissions(id),
  ]) {
    expect(call).toThrow("no such session");
  }
  expect((await refusal(w.manager.remove(id))).code).toBe("session_not_found");
  await w.restart();
  expect(w.manager.list({ limit: 10 }).sessions.map((session) => session.id)).toEqual([kept.id]);
});

test("what is called while a session is removed or closed ends with a clear error", async () => {
  await using w = await world();
  const { id } = await w.create();
  await w.manager.close(id);
  await w.manager.open(id, "load");
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await until(() => w.manager.get(id).status === "dormant");
  const opening = w.manager.setMode(id, "ask");
  const [opened] = await Promise.all([refusal(opening), w.manager.remove(id)]);
  expect(opened.code).toBe("session_closed");
  await until(() => w.agents.running().length === 0);
});

test("a session nobody uses or looks at gives its process up, and is opened again by a prompt", async () => {
  await using w = await world({ config: { idleSeconds: 0.3 }, timing: { sweepMs: 50 } });
  const [watched, forgotten] = [await w.create(), await w.create()];
  await w.run(forgotten.id, "text x");
  const detach = w.manager.attach(watched.id);
  const all = w.manager.attach("");
  await w.event(forgotten.id, "session_updated", ({ data }) => data?.["status"] === "dormant");
  expect(w.manager.get(forgotten.id).status).toBe("dormant");
  expect(w.manager.get(watched.id).status).toBe("idle");
  expect((await w.types(forgotten.id)).includes("agent_exited")).toBe(false);
  expect((await w.run(forgotten.id, "text back")).text).toBe("back");
  const slow = await w.run(forgotten.id, "sleep 600");
  expect(slow.status).toBe("finished");
  detach();
  all();
  await until(() => w.manager.get(watched.id).status === "dormant");
});

test("a session whose agent waits for a person keeps its process, though no turn runs", async () => {
  await using w = await world({ config: { idleSeconds: 0.3 }, timing: { sweepMs: 50 } });
  const [asking, other] = [await w.create(), await w.create()];
  const toolCall = { toolCallId: "late" };
  const options = [{ optionId: "a", name: "A", kind: "allow_once" }];
  const params = { sessionId: "$SESSION", toolCall, options };
  const request = { jsonrpc: "2.0", id: 901, method: "session/request_permission", params };
  await w.run(asking.id, `after 50 ${JSON.stringify(request)}`);
  await w.event(asking.id, "permission_requested");
  await w.run(other.id, "text later");
  await until(() => w.manager.get(other.id).status === "dormant");
  const [permission] = w.manager.permissions(asking.id);
  expect([permission?.status, w.manager.get(asking.id).status]).toEqual(["pending", "idle"]);
  await w.manager.answerPermission(asking.id, permission?.id ?? "", { optionId: "a" }, caller);
  const answeredAt = performance.now();
  await until(() => w.manager.get(asking.id).status === "dormant");
  expect(performance.now() - answeredAt).toBeGreaterThan(200);
});

test("title and policies can be changed, and are there after a restart", async () => {
  await using w = await world();
  const { id } = await w.create({ title: "Old" });
  const patch = { title: "New", queuePolicy: "reject" as const, permissionPolicy: { mode: "deny" as const } };
  expect(await w.manager.patch(id, patch, caller)).toMatchObject(patch);
  expect((await w.event(id, "session_updated")).data).toEqual(patch);
  await w.restart();
  expect(w.manager.get(id)).toMatchObject(patch);
  expect((await w.manager.patch(id, { title: null }, caller)).title).toBeNull();
});

test("sessions are listed the newest first, page by page, by agent and status", async () => {
  await using w = await world();
  const ids = [await w.create(), await w.create(), await w.create()].map(({ id }) => id).toReversed();
  const first = w.manager.list({ limit: 2 });
  expect(first.sessions.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const rest = w.manager.list({ limit: 2, ...(first.nextCursor === null ? {} : { cursor: first.nextCursor }) });
  expect(rest).toMatchObject({ sessions: [{ id: ids[2] }], nextCursor: null });
  await w.manager.close(ids[1] ?? "");
  expect(w.manager.list({ limit: 9, status: "closed" }).sessions.map(({ id }) => id)).toEqual([ids[1] ?? ""]);
  expect(w.manager.list({ limit: 9, agent: "other" }).sessions).toEqual([]);
  expect(() => w.manager.list({ limit: 9, cursor: "'; DROP" })).toThrow("nextCursor");
});

test("the activity tells whether the sandbox may be stopped", async () => {
  await using w = await world();
  expect(w.manager.activity()).toMatchObject({ idle: true, sessions: 0, lastEventAt: null });
  const { id } = await w.create();
  expect(w.manager.activity()).toMatchObject({ idle: true, sessions: 1, agentsRunning: 1, turnsRunning: 0 });
  await w.send(id, "ask edit x");
  await w.send(id, "text y");
  await until(() => w.manager.activity().permissionsPending === 1);
  expect(w.manager.activity()).toMatchObject({ idle: false, turnsRunning: 1, promptsQueued: 1 });
  await w.manager.cancel(id, { queued: true });
  await until(() => w.manager.activity().idle);
  const detach = w.manager.attach("");
  expect(w.manager.activity()).toMatchObject({ idle: false, clientsAttached: 1 });
  detach();
  detach();
  const { idle, clientsAttached, lastSeq, lastEventAt } = w.manager.activity();
  expect({ idle, clientsAttached, lastSeq }).toEqual({ idle: true, clientsAttached: 0, lastSeq: w.log.lastSeq() });
  expect(Date.now() - Date.parse(lastEventAt ?? "")).toBeLessThan(60_000);
  await w.restart();
  expect(w.manager.activity().lastEventAt).not.toBeNull();
});

test("a shutdown interrupts what runs, keeps what waits, and ends every process", async () => {
  await using w = await world();
  const { id } = await w.create();
  const pid = await w.pid(id);
  const running = await w.send(id, "text half\nhang");
  await w.event(id, "agent_message_chunk", ({ promptId }) => promptId === running.promptId);
  const waiting = await w.send(id, "text later");
  const { manager } = w;
  const ending = w.restart();
  expect((await refusal(manager.create({ agent: "scripted" }, caller))).code).toBe("shutting_down");
  expect((await refusal(manager.prompt(id, { text: "x" }, { caller }))).code).toBe("shutting_down");
  await ending;
  expect(alive(pid)).toBe(false);
  expect(w.manager.getPrompt(id, running.promptId).status).toBe("interrupted");
  expect((await w.ended(id, waiting.promptId)).text).toBe("later");
  const types = (await w.events(id)).filter(({ promptId }) => promptId === running.promptId).map(({ type }) => type);
  expect(types.at(-1)).toBe("prompt_interrupted");
});

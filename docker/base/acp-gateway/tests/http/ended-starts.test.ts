import { join } from "node:path";
import { expect, test } from "bun:test";
import { connectSocket, INITIALIZE } from "../acp/support/socket-client.ts";
import { startGateway, temporaryFolder, TOKEN, until } from "../support/gateway.ts";

/** Below what an agent is given to end by itself, and the gateway for all it does at its end. */
const AT_ONCE_MS = 2500;

type Problem = { code: string; status: number; rpc?: { code: number } };

/** A closed session, and a way to say what the agent does in its next process. */
async function closedSession() {
  const state = await temporaryFolder();
  const gateway = await startGateway({ SCRIPTED_AGENT_STATE: state.path });
  const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
  await gateway.post(`/v1/sessions/${id}/close`);
  const json = async (path: string) => (await (await gateway.get(path)).json()) as Record<string, unknown>;
  return {
    gateway,
    id,
    next: (...flags: string[]) => Bun.write(join(state.path, "flags"), flags.join("\n")),
    load: async () => {
      const answer = await gateway.post(`/v1/sessions/${id}/load`);
      const { code, rpc } = (await answer.json()) as Problem;
      return { status: answer.status, code, rpc };
    },
    session: () => json(`/v1/sessions/${id}`),
    agentsRunning: async () => (await json("/v1/activity"))["agentsRunning"],
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

for (const [method, how, status, code, after] of [
  ["POST", "/close", 409, "session_closed", "closed"],
  ["POST", "/cancel", 502, "agent_exited", "dormant"],
  ["DELETE", "", 409, "session_closed", undefined],
] as const) {
  test(`${method} …${how} answers at once while the agent does not come up, and so does the load`, async () => {
    await using world = await closedSession();
    const { gateway, id } = world;
    await world.next("--hang", "initialize");
    const load = world.load();
    await until(async () => (await world.agentsRunning()) === 1);
    const begun = performance.now();
    const init = method === "POST" ? { body: "{}", headers: { "content-type": "application/json" } } : {};
    const answer = await gateway.get(`/v1/sessions/${id}${how}`, { method, ...init });
    expect(answer.ok).toBe(true);
    expect(await load).toMatchObject({ status, code });
    expect(performance.now() - begun).toBeLessThan(AT_ONCE_MS);
    await until(async () => (await world.agentsRunning()) === 0);
    expect((await world.session())["status"]).toBe(after ?? 404);
  }, 20_000);
}

test("the gateway's end answers those who wait for an agent that does not come up, and leaves no process", async () => {
  await using world = await closedSession();
  const { gateway } = world;
  await world.next("--hang", "initialize");
  const load = world.load();
  const created = gateway.post("/v1/sessions", { agent: "scripted" });
  await until(async () => (await world.agentsRunning()) === 2);
  const path = `/proc/${gateway.child.pid}/task/${gateway.child.pid}/children`;
  const pids = (await Bun.file(path).text()).trim().split(" ").map(Number);
  const begun = performance.now();
  gateway.child.kill("SIGTERM");
  expect(await load).toMatchObject({ status: 503, code: "shutting_down" });
  expect(await (await created).json()).toMatchObject({ status: 503, code: "shutting_down" });
  expect(await gateway.child.exited).toBe(0);
  expect(performance.now() - begun).toBeLessThan(AT_ONCE_MS);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(gateway.logged.join("\n")).not.toContain("did not end in time");
}, 20_000);

test("a load that the agent refuses is quoted to its caller, over REST and over /acp, and a prompt works after it", async () => {
  await using world = await closedSession();
  const { gateway, id } = world;
  await world.next("--refuse-load");
  expect(await world.load()).toMatchObject({ status: 502, code: "agent_error", rpc: { code: -32_002 } });
  expect(await world.session()).toMatchObject({ status: "dormant", error: null });
  await gateway.post(`/v1/sessions/${id}/close`);
  using client = await connectSocket(`${gateway.url}/acp`, { token: TOKEN });
  await client.call("initialize", INITIALIZE);
  const { error } = await client.ask("session/load", { sessionId: id, cwd: gateway.workspace, mcpServers: [] });
  expect(error).toMatchObject({ code: -32_002, message: "the session is lost", data: { code: "agent_error" } });
  expect(await world.session()).toMatchObject({ status: "dormant", error: null });
  const answer = await gateway.post(`/v1/sessions/${id}/prompt?wait=10`, { text: "text works" });
  expect(await answer.json()).toMatchObject({ status: "finished", text: "works" });
}, 20_000);

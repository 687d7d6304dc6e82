import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { eventPage, prompt, session, type GatewayEvent } from "../../src/wire/index.ts";
import { alive } from "../agents/support.ts";
import { startGateway, temporaryFolder, until } from "../support/gateway.ts";
import { agent } from "./support.ts";

type Gateway = Awaited<ReturnType<typeof startGateway>>;

async function eventsOf(gateway: Gateway, id: string): Promise<GatewayEvent[]> {
  const events: GatewayEvent[] = [];
  for (let after = 0; ;) {
    const response = await gateway.get(`/v1/sessions/${id}/events?after=${after}`, {
      headers: { accept: "application/json" },
    });
    const page = eventPage.parse(await response.json());
    events.push(...page.events);
    if (!page.more) return events;
    ({ after } = page);
  }
}

test("after kill -9 of the gateway in mid-turn nothing of the log is lost, and queued prompts run", async () => {
  await using folder = await temporaryFolder();
  const workspace = join(folder.path, "workspace");
  const state = join(folder.path, "state");
  for (const path of [workspace, state]) await mkdir(path);
  const agentsFile = join(folder.path, "agents.json");
  const scripted = { ...agent("scripted"), env: { SCRIPTED_AGENT_STATE: state } };
  await writeFile(agentsFile, JSON.stringify({ agents: [scripted] }));
  const env = { AGENTPOD_AGENTS_FILE: agentsFile };

  await using gateway = await startGateway(env, { workspace });
  const made = session.parse(await (await gateway.post("/v1/sessions", { agent: "scripted" })).json());
  const { id } = made;
  const send = async (text: string, headers: Record<string, string> = {}) => {
    const response = await gateway.post(`/v1/sessions/${id}/prompt`, { text }, headers);
    expect(response.status).toBe(202);
    return ((await response.json()) as { promptId: string }).promptId;
  };
  const running = await send("pid\nsay 500 2\nask edit x", { "idempotency-key": "once" });
  const queued = [await send("text first"), await send("text second")];
  const chunksOf = (events: GatewayEvent[]) => events.filter(({ type }) => type === "agent_message_chunk");
  await until(async () => chunksOf(await eventsOf(gateway, id)).length > 20);
  const acknowledged = await eventsOf(gateway, id);
  const content = chunksOf(acknowledged)[0]?.update?.["content"] as { text: string };
  gateway.child.kill("SIGKILL");
  await gateway.child.exited;

  await using again = await startGateway(env, { workspace });
  const get = async (path: string) => (await again.get(`/v1/sessions/${id}${path}`)).json();
  for (const promptId of queued) {
    await until(async () => prompt.parse(await get(`/prompts/${promptId}`)).status === "finished");
  }
  await until(() => !alive(Number(content.text)));
  const events = await eventsOf(again, id);
  expect(events.slice(0, acknowledged.length)).toEqual(acknowledged);
  expect(events.map(({ seq }) => seq)).toEqual([...new Set(events.map(({ seq }) => seq))].toSorted((a, b) => a - b));
  expect(prompt.parse(await get(`/prompts/${running}`))).toMatchObject({ status: "interrupted" });
  const later = events.slice(acknowledged.length).map(({ type, promptId }) => [type, promptId]);
  const at = (type: string, promptId: string) => later.findIndex((one) => one[0] === type && one[1] === promptId);
  const order = [
    at("prompt_interrupted", running),
    at("prompt_started", queued[0] ?? ""),
    at("prompt_finished", queued[0] ?? ""),
    at("prompt_started", queued[1] ?? ""),
    at("prompt_finished", queued[1] ?? ""),
  ];
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(0);
  const opened = events.filter(({ type }) => type === "session_opened").at(-1);
  expect(opened?.data).toEqual({ how: "load", agentSessionId: made.agentSessionId });
  // The client that was not answered sends its prompt again: it is the same one.
  const repeated = await again.post(
    `/v1/sessions/${id}/prompt`,
    { text: "pid\nsay 500 2\nask edit x" },
    { "idempotency-key": "once" },
  );
  expect(await repeated.json()).toMatchObject({ promptId: running, status: "interrupted" });
}, 30_000);

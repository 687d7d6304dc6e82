import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { client, type InitializeResponse, type PromptResponse, type Stream } from "@agentclientprotocol/sdk";
import { createHttpStream } from "@agentclientprotocol/sdk/experimental/http-client";
import { createWebSocketStream } from "@agentclientprotocol/sdk/experimental/ws-client";
import type { GatewayEvent } from "@agentpod/gateway-client";
import { type AgentWorld, API_TOKEN, createAgentWorld } from "../support/agent-world.ts";
import { call } from "../support/api-process.ts";
import { openSocket } from "../support/proxied-gateway.ts";
import { systemTable } from "../support/process-world.ts";
import { until } from "../support/wait.ts";

const bearer = { authorization: `Bearer ${API_TOKEN}` };
let world: AgentWorld;
beforeAll(async () => {
  // Nothing is to put right what the tests break.
  world = await createAgentWorld({ env: { RECONCILE_SECONDS: "86400", LOG_LEVEL: "debug" } });
}, 60_000);
afterAll(() => world.end());

const status = async () =>
  (await call(world.api.url, "GET", `/api/projects/${world.projectId}/status`, undefined, bearer)).body;

async function gatewayPid(): Promise<number> {
  const all = await systemTable().scan();
  const gateway = all.find(({ command }) => command.includes(world.projectId) && command.includes("acp-gateway"));
  if (!gateway) throw new Error("no gateway runs");
  return gateway.pid;
}

/** Events of an SSE answer until one of this type. */
async function eventsUntil(answer: Response, type: string): Promise<GatewayEvent[]> {
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const events: GatewayEvent[] = [];
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const frames = text.split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined) continue;
      const event = JSON.parse(data) as GatewayEvent;
      events.push(event);
      if (event.type === type) return events;
    }
  }
  throw new Error(`the stream ended before ${type}`);
}

describe("a project's agents, through the API", () => {
  test("are driven over REST", async () => {
    const { client: gateway } = world;
    expect((await gateway.info()).projectId).toBe(world.projectId);
    const made = await world.ask("/v1/sessions", {
      method: "POST",
      body: JSON.stringify({ agent: "scripted" }),
      headers: { "content-type": "application/json" },
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    expect(made.headers.get("location")).toBe(`${world.place}/v1/sessions/${id}`);
    expect(await gateway.ask(id, "text hello")).toMatchObject({ status: "finished", stopReason: "end_turn" });
    const asked = await gateway.prompt(id, "ask edit a.txt");
    const [pending] = await until("a permission is asked", async () => {
      const all = await gateway.permissions(id);
      return all.length > 0 ? all : undefined;
    });
    await gateway.answerPermission(id, pending?.id ?? "", { optionId: "once" });
    await until("the turn ends", async () =>
      (await gateway.promptOf(id, asked.promptId)).status === "finished" ? true : undefined,
    );
    expect((await status()).gateway).toMatchObject({ healthy: true, activity: { turnsRunning: 0, agentsRunning: 1 } });
    const missing = await world.ask("/v1/sessions/ses_nope");
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect(await missing.json()).toMatchObject({
      code: "session_not_found",
      requestId: missing.headers.get("x-request-id"),
    });
  }, 30_000);

  test("tell what happens as it happens, and go on after the last event that was seen", async () => {
    const id = await world.session();
    const stop = new AbortController();
    const live = await world.ask(`/v1/sessions/${id}/events`, {
      headers: { accept: "text/event-stream" },
      signal: stop.signal,
    });
    const told = eventsUntil(live, "prompt_finished");
    await world.client.prompt(id, "say 20 5");
    const all = await told;
    stop.abort();
    const middle = all[Math.floor(all.length / 2)]?.seq ?? 0;
    const again = await world.ask(`/v1/sessions/${id}/events?until=idle`, {
      headers: { accept: "text/event-stream", "last-event-id": String(middle) },
    });
    expect(await eventsUntil(again, "prompt_finished")).toEqual(all.filter(({ seq }) => seq > middle));
    const followed: number[] = [];
    for await (const { seq } of world.client.events(id, { until: "idle" })) followed.push(seq);
    expect(followed).toEqual(all.map(({ seq }) => seq));
    // The reader that went away is gone at the gateway, too.
    const text = async () => (await world.ask("/metrics")).text();
    await until("no stream is left", async () =>
      /^acp_gateway_readers\{kind="rest"\} 0$/m.test(await text()) ? true : undefined,
    );
  }, 30_000);

  const transports: Record<string, () => Stream> = {
    WebSocket: () =>
      createWebSocketStream(`${world.api.url.replace("http", "ws")}${world.place}/acp`, {
        protocols: ["acp.v1", `bearer.${API_TOKEN}`],
      }),
    "Streamable HTTP": () => createHttpStream(`${world.api.url}${world.place}/acp`, { headers: bearer }),
  };
  test.each(Object.entries(transports))(
    "serve the protocol's official client over %s",
    async (_, open) => {
      const made = await world.session();
      const texts: string[] = [];
      const app = client({})
        .onNotification("session/update", ({ params: { update } }) => {
          if (update.sessionUpdate === "agent_message_chunk" && "text" in update.content)
            texts.push(update.content.text);
        })
        .onRequest("session/request_permission", () => ({
          outcome: { outcome: "selected" as const, optionId: "once" },
        }));
      await app.connectWith(open(), async (agent) => {
        const initialized = await agent.request<InitializeResponse>("initialize", {
          protocolVersion: 1,
          clientCapabilities: {},
        });
        expect(initialized.agentCapabilities).toMatchObject({ loadSession: true });
        const { sessions } = await agent.request("session/list", {});
        const { cwd = "" } = sessions.find(({ sessionId }) => sessionId === made) ?? {};
        await agent.request("session/load", { sessionId: made, cwd, mcpServers: [] });
        const turn = await agent.request<PromptResponse>("session/prompt", {
          sessionId: made,
          prompt: [{ type: "text", text: "ask edit a.txt\ntext done" }],
        });
        expect(turn.stopReason).toBe("end_turn");
        expect(texts).toEqual(["[selected once]", "done"]);
      });
    },
    30_000,
  );

  test("have terminals, whose WebSocket a browser can open", async () => {
    const made = await world.ask("/v1/terminals", {
      method: "POST",
      body: JSON.stringify({}),
      headers: { "content-type": "application/json" },
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    const url = `${world.api.url.replace("http", "ws")}${world.place}/v1/terminals/${id}/ws`;
    const { socket, messages, opened, closed } = openSocket(url, { protocols: [`bearer.${API_TOKEN}`, "agentpod"] });
    await opened;
    socket.send(Buffer.from("echo $((40 + 2))ok\n"));
    const output = () => messages.map((message) => message.toString()).join("");
    await until("the shell answers", () => (output().includes("42ok") ? true : undefined));
    expect((await status()).gateway.activity).toMatchObject({ terminalsOpen: 1, idle: false });
    expect((await world.ask(`/v1/terminals/${id}`, { method: "DELETE" })).status).toBe(204);
    await closed;
    const gone = openSocket(url, { headers: bearer });
    await expect(gone.opened).rejects.toThrow();
  }, 30_000);

  test("take files up to the gateway's limit, and refuse more without the API holding it", async () => {
    const file = Buffer.alloc(20 * 1024 * 1024, 7);
    expect((await world.ask("/v1/fs/big.bin", { method: "PUT", body: file })).status).toBe(201);
    const back = await world.ask("/v1/fs/big.bin");
    expect(Buffer.from(await back.arrayBuffer()).equals(file)).toBe(true);
    const refused = await world.ask("/v1/fs/more.bin", { method: "PUT", body: Buffer.alloc(100 * 1024 * 1024) });
    expect([refused.status, refused.headers.get("content-type")]).toEqual([413, "application/problem+json"]);
    expect((await world.ask("/v1/fs/big.bin", { method: "DELETE" })).status).toBe(204);
  }, 30_000);

  test("are nobody's without the token", async () => {
    for (const authorization of ["", "Bearer wrong-token-of-someone"]) {
      expect((await world.ask("/v1/sessions", { headers: { authorization } })).status).toBe(401);
    }
    const socketUrl = `${world.api.url.replace("http", "ws")}${world.place}/acp`;
    await expect(openSocket(socketUrl, { protocols: ["bearer.wrong-token-of-someone"] }).opened).rejects.toThrow();
    expect((await world.ask("/v1/login", { method: "POST" })).status).toBe(404);
  });

  test("are away when their gateway is killed, stopped or started again, and each is told", async () => {
    const id = await world.session();
    const url = `${world.api.url.replace("http", "ws")}${world.place}/acp`;
    const attached = openSocket(url, { protocols: ["acp.v1", `bearer.${API_TOKEN}`] });
    await attached.opened;
    process.kill(await gatewayPid(), "SIGKILL");
    expect((await attached.closed).code).toBe(1014);
    const away = await world.ask("/v1/sessions");
    expect([away.status, ((await away.json()) as { code: string }).code]).toEqual([502, "gateway_unreachable"]);
    await world.change("start");
    expect((await world.client.session(id)).id).toBe(id);
    const again = openSocket(url, { protocols: ["acp.v1", `bearer.${API_TOKEN}`] });
    await again.opened;
    await world.change("stop");
    expect((await again.closed).code).toBe(1001);
    const stopped = await world.ask("/v1/sessions");
    expect([stopped.status, ((await stopped.json()) as { code: string }).code]).toEqual([409, "not_running"]);
    expect((await status()).gateway).toEqual({ healthy: null, activity: null });
    await world.change("start");
    expect((await world.client.session(id)).id).toBe(id);
  }, 60_000);

  test("leave no trace of the token in what the API says", () => {
    expect(world.api.output()).toContain("/api/projects/{id}/agent/{path}");
    expect(world.api.output()).not.toContain(API_TOKEN);
    expect(world.api.output()).not.toContain("unexpectedly");
  });
});

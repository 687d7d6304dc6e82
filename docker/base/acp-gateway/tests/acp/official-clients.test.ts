import { describe, expect, test } from "bun:test";
import {
  client,
  type InitializeResponse,
  type PromptResponse,
  RequestError,
  type SessionNotification,
  type Stream,
} from "@agentclientprotocol/sdk";
import { createHttpStream } from "@agentclientprotocol/sdk/experimental/http-client";
import { createWebSocketStream } from "@agentclientprotocol/sdk/experimental/ws-client";
import { TOKEN, until } from "../support/gateway.ts";
import { seqOf } from "./support/socket-client.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";

type Gateway = Awaited<ReturnType<typeof startGatewayProcess>>;

const TRANSPORTS: Record<string, (gateway: Gateway) => Stream> = {
  WebSocket: ({ socketUrl }) => createWebSocketStream(socketUrl, { protocols: ["acp.v1", `bearer.${TOKEN}`] }),
  HTTP: ({ url }) => createHttpStream(url, { headers: { authorization: `Bearer ${TOKEN}` } }),
};

const say = (...lines: string[]) => [{ type: "text" as const, text: lines.join("\n") }];
const INITIALIZE = { protocolVersion: 1, clientCapabilities: {}, clientInfo: { name: "official", version: "1" } };

/** The official client, keeping what it is told and answering permissions by `decide`. */
function official(decide: (signal: AbortSignal) => Promise<string> = () => Promise.resolve("once")) {
  const updates: SessionNotification[] = [];
  const app = client({})
    .onNotification("session/update", ({ params }) => void updates.push(params))
    .onRequest("session/request_permission", async ({ signal }) => ({
      outcome: { outcome: "selected" as const, optionId: await decide(signal) },
    }));
  const texts = (kind = "agent_message_chunk") =>
    updates.flatMap(({ update }) =>
      update.sessionUpdate === kind && "content" in update && update.content && "text" in update.content
        ? [update.content.text]
        : [],
    );
  return { app, updates, texts };
}

for (const [name, connect] of Object.entries(TRANSPORTS)) {
  describe(`the official ${name} client`, () => {
    test("lists a session made over REST, loads it, prompts it, answers a permission and cancels", async () => {
      await using gateway = await startGatewayProcess();
      const made = await gateway.rest.create({ title: "Made over REST" });
      await gateway.rest.ask(made.id, "text from the past");
      const { app, texts } = official();
      await app.connectWith(connect(gateway), async (agent) => {
        const { agentCapabilities } = await agent.request<InitializeResponse>("initialize", INITIALIZE);
        expect(agentCapabilities).toMatchObject({ loadSession: true });
        const { sessions } = await agent.request("session/list", {});
        expect(sessions).toMatchObject([{ sessionId: made.id, cwd: gateway.workspace, title: "Made over REST" }]);
        const sessionId = made.id;
        const loaded = await agent.request("session/load", { sessionId, cwd: gateway.workspace, mcpServers: [] });
        expect(loaded.modes).toMatchObject({ currentModeId: "auto" });
        expect(texts("user_message_chunk")).toEqual(["text from the past"]);
        expect(texts()).toEqual(["from the past"]);
        const turn = await agent.request<PromptResponse>("session/prompt", {
          sessionId,
          prompt: say("ask edit a.txt", "text done"),
        });
        expect(turn.stopReason).toBe("end_turn");
        expect(texts()).toEqual(["from the past", "[selected once]", "done"]);
        const cancelled = agent.request<PromptResponse>("session/prompt", {
          sessionId,
          prompt: say("text waiting", "hang"),
        });
        await until(() => texts().includes("waiting"));
        await agent.notify("session/cancel", { sessionId });
        expect((await cancelled).stopReason).toBe("cancelled");
      });
    }, 30_000);

    test("makes a session that REST sees, changes its mode and model, and closes and deletes it", async () => {
      await using gateway = await startGatewayProcess();
      const { app, updates, texts } = official();
      await app.connectWith(connect(gateway), async (agent) => {
        await agent.request<InitializeResponse>("initialize", INITIALIZE);
        const { sessionId, configOptions } = await agent.request("session/new", {
          cwd: gateway.workspace,
          mcpServers: [],
          _meta: { gateway: { agent: "scripted", title: "Made by a client" } },
        });
        expect(configOptions).toMatchObject([{ id: "model", currentValue: "small" }]);
        expect(await gateway.rest.session(sessionId)).toMatchObject({ agent: "scripted", title: "Made by a client" });
        await until(() => updates.some(({ update }) => update.sessionUpdate === "available_commands_update"));
        await agent.request("session/set_mode", { sessionId, modeId: "ask" });
        const changed = await agent.request("session/set_config_option", {
          sessionId,
          configId: "model",
          value: "large",
        });
        expect(changed.configOptions).toMatchObject([{ currentValue: "large" }]);
        expect((await gateway.rest.session(sessionId)).modes).toMatchObject({ currentModeId: "ask" });
        await gateway.rest.ask(sessionId, "text said over REST");
        await until(() => texts().includes("said over REST"));
        expect(texts("user_message_chunk")).toEqual(["text said over REST"]);
        await agent.request("session/close", { sessionId });
        expect((await gateway.rest.session(sessionId)).status).toBe("closed");
        await agent.request("session/resume", { sessionId, cwd: gateway.workspace });
        expect(
          (await agent.request<PromptResponse>("session/prompt", { sessionId, prompt: say("text back") })).stopReason,
        ).toBe("end_turn");
        const fork = await agent.request<{ sessionId: string }>("session/fork", {
          sessionId,
          cwd: gateway.workspace,
          mcpServers: [],
        });
        expect((await gateway.rest.session(fork.sessionId)).agent).toBe("scripted");
        await agent.request("session/delete", { sessionId });
        await expect(gateway.rest.session(sessionId)).rejects.toThrow();
      });
    }, 30_000);

    test("is told what the agent refused, and what it cannot have", async () => {
      await using gateway = await startGatewayProcess();
      const { app } = official();
      await app.connectWith(connect(gateway), async (agent) => {
        await agent.request<InitializeResponse>("initialize", INITIALIZE);
        const { sessionId } = await agent.request("session/new", {
          cwd: gateway.workspace,
          mcpServers: [],
          _meta: { gateway: { agent: "scripted" } },
        });
        const failed = agent.request<PromptResponse>("session/prompt", {
          sessionId,
          prompt: say("error -32077 not today"),
        });
        const error = await failed.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(RequestError);
        expect(error).toMatchObject({ code: -32077, message: "not today" });
        const outside = agent.request("session/new", { cwd: "/etc", mcpServers: [] });
        await expect(outside).rejects.toMatchObject({ code: -32602, data: { code: "path_not_allowed" } });
        const crash = agent.request<PromptResponse>("session/prompt", { sessionId, prompt: say("crash by hand") });
        await expect(crash).rejects.toMatchObject({ data: { code: "agent_exited" } });
        const after = await agent.request<PromptResponse>("session/prompt", { sessionId, prompt: say("text alive") });
        expect(after.stopReason).toBe("end_turn");
      });
    }, 30_000);
  });
}

test("two official clients and a REST reader of one session see the same, and any of them decides", async () => {
  await using gateway = await startGatewayProcess();
  const { id: sessionId } = await gateway.rest.create({});
  const never = (signal: AbortSignal) =>
    new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(new Error("taken back"))));
  let takenBack = 0;
  const waits = (signal: AbortSignal) =>
    never(signal).catch((error: unknown) => {
      takenBack += 1;
      throw error;
    });
  const one = official(waits);
  const two = official(waits);
  const sources = Object.values(TRANSPORTS).map((connect) => connect(gateway));
  const [first, second] = sources;
  if (!first || !second) throw new Error("two transports are needed");
  await one.app.connectWith(first, (agentOne) =>
    two.app.connectWith(second, async (agentTwo) => {
      for (const agent of [agentOne, agentTwo]) {
        await agent.request<InitializeResponse>("initialize", INITIALIZE);
        await agent.request("session/load", { sessionId, cwd: gateway.workspace, mcpServers: [] });
      }
      const turn = agentOne.request<PromptResponse>("session/prompt", {
        sessionId,
        prompt: say("say 20", "ask edit a.txt", "say 5"),
      });
      await until(async () => (await gateway.rest.permissions(sessionId)).some(({ status }) => status === "pending"));
      const [asked] = (await gateway.rest.permissions(sessionId)).filter(({ status }) => status === "pending");
      await gateway.rest.answer(sessionId, asked?.id ?? "", { decision: "reject_once" });
      expect((await turn).stopReason).toBe("end_turn");
      await until(() => takenBack === 2 && two.texts().length === 26);
      expect(await gateway.rest.clientsAttached()).toBeGreaterThanOrEqual(2);
    }),
  );
  const events = await gateway.rest.events(sessionId);
  const read = events.filter(({ type }) => type === "agent_message_chunk").map(({ seq }) => seq);
  const seqs = ({ updates }: typeof one) =>
    updates.filter(({ update }) => update.sessionUpdate === "agent_message_chunk").map((params) => seqOf({ params }));
  expect(read).toHaveLength(26);
  expect(seqs(one)).toEqual(read);
  expect(seqs(two)).toEqual(read);
  expect(one.texts()).toEqual(two.texts());
  await until(async () => (await gateway.rest.clientsAttached()) === 0);
}, 30_000);

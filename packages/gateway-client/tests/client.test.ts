import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:net";
import { startGateway, TOKEN } from "../../../docker/base/acp-gateway/tests/support/gateway.ts";
import { createGatewayClient, type GatewayClient, GatewayClientError, type GatewayEvent } from "../src/index.ts";

let gateway: Awaited<ReturnType<typeof startGateway>>;
let client: GatewayClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = createGatewayClient({ url: gateway.url, token: TOKEN });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const refusal = async (call: Promise<unknown>): Promise<GatewayClientError> => {
  const error = await call.then(
    () => new Error("it was not refused"),
    (error: unknown) => error,
  );
  if (error instanceof GatewayClientError) return error;
  throw error;
};

describe("a client of a gateway", () => {
  test("makes a session, asks, and gets the answer", async () => {
    const session = await client.createSession({ agent: "scripted", title: "A talk" });
    expect(session).toMatchObject({ agent: "scripted", status: "idle", title: "A talk" });
    expect(await client.ask(session.id, "text Good day.")).toMatchObject({
      status: "finished",
      stopReason: "end_turn",
      text: "Good day.",
    });
    expect((await client.sessions()).sessions.map(({ id }) => id)).toContain(session.id);
    expect((await client.changeSession(session.id, { title: null })).title).toBeNull();
    expect((await client.setMode(session.id, "ask")).modes).toMatchObject({ currentModeId: "ask" });
    await client.deleteSession(session.id);
    expect(await refusal(client.session(session.id))).toMatchObject({ code: "session_not_found", status: 404 });
  });

  test("follows a session's events until nothing is left to do", async () => {
    const session = await client.createSession({ agent: "scripted" });
    const { promptId, seq } = await client.prompt(session.id, "say 3");
    const events: GatewayEvent[] = [];
    for await (const event of client.events(session.id, { after: seq, until: "idle" })) events.push(event);
    expect(events.filter(({ type }) => type === "agent_message_chunk")).toHaveLength(3);
    expect(events.findLast(({ promptId: of }) => of === promptId)?.type).toBe("prompt_finished");
    const page = await client.eventPage(session.id, { after: seq, limit: 1000 });
    expect(page.events.slice(0, events.length)).toEqual(events);
  });

  test("comes back to a stream that was cut off, and takes no cut for the end", async () => {
    let asked = 0;
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const cutting = createServer((connection) => {
      connection.on("error", () => undefined);
      connection.once("data", (request) => {
        asked += 1;
        const seq = Number(/^last-event-id: (\d+)/im.exec(request.toString())?.[1]) + 1;
        connection.write(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        );
        const frames = [1, 2, 3].filter((one) => one >= seq).map((one) => `id: ${one}\ndata: {"seq":${one}}\n\n`);
        // What was cut off may have been lost on the way, and is asked for again.
        connection.write(chunk(asked < 3 ? (frames[0] ?? "") : frames.join("")));
        if (asked === 2) connection.resetAndDestroy();
        else connection.end(asked < 3 ? "" : "0\r\n\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(cutting, "listening");
    const address = cutting.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const seqs: number[] = [];
    const following = createGatewayClient({ url, token: TOKEN }).events(null, { until: "idle", retryMs: 1 });
    for await (const { seq } of following) seqs.push(seq);
    cutting.close();
    expect(seqs).toEqual([1, 2, 3]);
    expect(asked).toBeGreaterThanOrEqual(3);
  });

  test("answers what an agent asks", async () => {
    const session = await client.createSession({ agent: "scripted" });
    const { promptId, seq } = await client.prompt(session.id, "ask edit notes.txt\nelicit Your name?");
    for await (const { type } of client.events(session.id, { after: seq })) {
      if (type === "permission_requested") {
        const [asked] = await client.permissions(session.id);
        await client.answerPermission(session.id, asked?.id ?? "", { decision: "allow_once" });
      }
      if (type === "elicitation_requested") {
        const [asked] = await client.elicitations(session.id);
        await client.answerElicitation(session.id, asked?.id ?? "", { action: "accept", content: { name: "Ada" } });
      }
      if (type === "prompt_finished") break;
    }
    expect(await client.promptOf(session.id, promptId)).toMatchObject({ status: "finished" });
  });

  test("says in words and codes why it was refused", async () => {
    const stranger = createGatewayClient({ url: gateway.url, token: "not-the-token-of-the-tests" });
    expect(await refusal(stranger.sessions())).toMatchObject({ code: "unauthorized", status: 401 });
    const wrong = await refusal(client.createSession({ agent: "Not an id", title: "" }));
    expect(wrong).toMatchObject({ code: "invalid_request", status: 400 });
    expect(wrong.errors.map(({ path }) => path).toSorted()).toEqual(["/agent", "/title"]);
    expect(await refusal(client.createSession({ agent: "unheard-of" }))).toMatchObject({ code: "agent_not_found" });
    const session = await client.createSession({ agent: "scripted" });
    const failed = await client.ask(session.id, "error -32001 no more credit");
    expect(failed).toMatchObject({ status: "failed", error: { rpc: { code: -32001, message: "no more credit" } } });
  });

  test("tells what is no gateway from what does not answer, and shows no token", async () => {
    await using page = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<h1>Hello</h1>") });
    const other = createGatewayClient({ url: page.url.origin, token: TOKEN });
    expect(await refusal(other.info())).toMatchObject({ code: "not_a_gateway", status: 200 });
    await page.stop(true);
    const nobody = await refusal(createGatewayClient({ url: page.url.origin, token: TOKEN }).info());
    expect(nobody).toMatchObject({ code: "unreachable", status: null });
    expect(`${nobody.message} ${nobody.stack} ${String(nobody.cause)}`).not.toContain(TOKEN);
  });
});

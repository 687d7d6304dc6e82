import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectStreams } from "../acp/support/http-client.ts";
import { initialized, textOf } from "../acp/support/socket-client.ts";
import { TOKENS } from "../acp/support/tokens.ts";
import { startGateway, until } from "../support/gateway.ts";
import { readMetrics } from "../support/prometheus.ts";

const AUTHORIZED = { authorization: `Bearer ${TOKENS.main}` };

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ AGENTPOD_GATEWAY_TOKEN: TOKENS.main });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const get = (path: string) => gateway.get(path, { headers: AUTHORIZED });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  gateway.post(path, body, { ...AUTHORIZED, ...headers });
const newSession = async () =>
  ((await (await post("/v1/sessions", { agent: "scripted" })).json()) as { id: string }).id;

async function metrics() {
  const families = readMetrics(await (await get("/metrics")).text());
  return (name: string, key = "") => families.get(`acp_gateway_${name}`)?.samples.get(`acp_gateway_${name}${key}`);
}

const timed = async (method: string, route: string, part: "count" | "sum" = "count") =>
  (await metrics())("request_duration_seconds", `_${part}{method="${method}",route="${route}"}`) ?? 0;

test("requests are timed by route until their answer is ready; those that ask to wait are not", async () => {
  const id = await newSession();
  const route = "/v1/sessions/:id/prompt";
  await post(`/v1/sessions/${id}/prompt?wait=20`, { text: "text waited for" });
  await post(`/v1/sessions/${id}/prompt`, { text: "text waited for" }, { prefer: "wait=20" });
  expect(await timed("POST", route)).toBe(0);
  const started = performance.now();
  await post(`/v1/sessions/${id}/prompt`, { text: "say 10 100" });
  expect(await timed("POST", route)).toBe(1);
  await (await get(`/v1/sessions/${id}/events?until=idle`)).text();
  const seconds = (performance.now() - started) / 1000;
  expect(seconds).toBeGreaterThan(0.9);
  const events = "/v1/sessions/:id/events";
  expect(await timed("GET", events)).toBe(1);
  expect(await timed("GET", events, "sum")).toBeLessThan(seconds / 2);
  expect(await timed("GET", events, "sum")).toBeGreaterThan(0);
  await get("/nothing/here");
  expect(await timed("GET", "none")).toBe(1);
});

test("prompts are timed to their end by how they ended, and turns to what they first show", async () => {
  const id = await newSession();
  const before = await metrics();
  await post(`/v1/sessions/${id}/prompt?wait=20`, { text: "say 3 100" });
  await post(`/v1/sessions/${id}/prompt`, { text: "hang" });
  await post(`/v1/sessions/${id}/cancel`, {});
  await until(async () => ((await metrics())("prompt_duration_seconds", '_count{outcome="cancelled"}') ?? 0) > 0);
  const after = await metrics();
  const added = (name: string, key: string) => (after(name, key) ?? 0) - (before(name, key) ?? 0);
  expect(added("prompt_duration_seconds", '_count{outcome="finished"}')).toBe(1);
  expect(added("prompt_duration_seconds", '_sum{outcome="finished"}')).toBeGreaterThan(0.2);
  expect(added("prompt_duration_seconds", '_count{outcome="cancelled"}')).toBe(1);
  expect(added("prompt_first_update_seconds", "_count")).toBe(1);
  const first = added("prompt_first_update_seconds", "_sum");
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(added("prompt_duration_seconds", '_sum{outcome="finished"}'));
});

test("readers of events are counted by way: streams of REST, sessions followed over /acp by either transport", async () => {
  const readers = async () => {
    const now = await metrics();
    return [now("readers", '{kind="rest"}'), now("readers", '{kind="acp"}')];
  };
  const are = async (...expected: number[]) => until(async () => String(await readers()) === String(expected));
  const id = await newSession();
  await are(0, 0);
  const leaving = new AbortController();
  const stream = await gateway.get(`/v1/sessions/${id}/events`, { headers: AUTHORIZED, signal: leaving.signal });
  await are(1, 0);

  const socket = await initialized(`${gateway.url}/acp`);
  await are(1, 0);
  await socket.call("_gateway/session/attach", { sessionId: id });
  await are(1, 1);

  using client = await connectStreams(`${gateway.url}/acp`);
  const params = { cwd: gateway.workspace, mcpServers: [], _meta: { gateway: { agent: "scripted" } } };
  const made = textOf(await client.call("session/new", params), "sessionId");
  // It is followed, but nobody reads that yet.
  await are(1, 1);
  const reading = await client.open(made);
  await are(1, 2);
  reading[Symbol.dispose]();
  await are(1, 1);

  socket.socket.close();
  await are(1, 0);
  leaving.abort();
  await stream.body?.cancel().catch(() => undefined);
  await are(0, 0);
});

test("questions that wait are counted until they are answered", async () => {
  const pending = async () => (await metrics())("elicitations_pending");
  expect(await pending()).toBe(0);
  const id = await newSession();
  await post(`/v1/sessions/${id}/prompt`, { text: "elicit Who are you?" });
  await until(async () => (await pending()) === 1);
  const { elicitations } = (await (await get(`/v1/sessions/${id}/elicitations`)).json()) as {
    elicitations: { id: string }[];
  };
  await post(`/v1/sessions/${id}/elicitations/${elicitations[0]?.id}`, { action: "decline" });
  expect(await pending()).toBe(0);
});

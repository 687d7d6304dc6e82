import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { startGateway, until } from "../support/gateway.ts";
import { readMetrics } from "../support/prometheus.ts";
import { readEvents } from "../support/sse.ts";
import { permission, prompt, promptAccepted, promptAnswer, session, sessionPage } from "../../src/wire/index.ts";

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function read<Schema extends z.ZodType>(schema: Schema, answer: Response | Promise<Response>) {
  const response = await answer;
  const body: unknown = await response.json();
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Error(`${response.status} ${JSON.stringify(body)}: ${parsed.error.message}`);
  return parsed.data;
}

const newSession = async (more: Record<string, unknown> = {}) =>
  (await read(session, gateway.post("/v1/sessions", { agent: "scripted", ...more }))).id;
const ask = (id: string, text: string, headers: Record<string, string> = {}) =>
  gateway.post(`/v1/sessions/${id}/prompt?wait=20`, { text }, headers);

describe("sessions over REST", () => {
  test("are made, listed, changed, closed and removed", async () => {
    const made = await gateway.post("/v1/sessions", { agent: "scripted", title: "First" });
    expect(made.status).toBe(201);
    const { id, status } = await read(session, made);
    expect(made.headers.get("location")).toBe(`/v1/sessions/${id}`);
    expect([id.slice(0, 4), status]).toEqual(["ses_", "idle"]);
    const { sessions } = await read(sessionPage, gateway.get("/v1/sessions?agent=scripted&status=idle"));
    expect(sessions.map((one) => one.id)).toContain(id);
    const change = { method: "PATCH", body: '{"title":"Second"}', headers: { "content-type": "application/json" } };
    expect(await read(session, gateway.get(`/v1/sessions/${id}`, change))).toMatchObject({ title: "Second" });
    expect(await read(session, gateway.post(`/v1/sessions/${id}/close`))).toMatchObject({ status: "closed" });
    expect((await gateway.get(`/v1/sessions/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await gateway.get(`/v1/sessions/${id}`)).status).toBe(404);
  });

  test("have titles that any reader of JSON takes, however they are given", async () => {
    const id = await newSession({ title: "A 😀" });
    const send = (method: string, path: string, body: string) =>
      gateway.get(path, { method, body, headers: { "content-type": "application/json" } });
    const problems = [
      await send("POST", "/v1/sessions", String.raw`{"agent":"scripted","title":"half \ud83d"}`),
      await send("PATCH", `/v1/sessions/${id}`, String.raw`{"title":"half \ud83d"}`),
    ];
    for (const response of problems) {
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_request", errors: [{ path: "/title" }] });
    }
    expect(await read(session, gateway.get(`/v1/sessions/${id}`))).toMatchObject({ title: "A 😀" });
  });

  test("of an agent that is not known, or in a folder elsewhere, are refused", async () => {
    expect((await gateway.post("/v1/sessions", { agent: "nobody" })).status).toBe(404);
    for (const cwd of ["/etc", "../..", "/"]) {
      expect((await gateway.post("/v1/sessions", { agent: "scripted", cwd })).status).toBe(403);
    }
  });

  test("take modes and config options", async () => {
    const id = await newSession();
    expect((await gateway.post(`/v1/sessions/${id}/mode`, { modeId: "ask" })).status).toBe(200);
    expect(await read(session, gateway.get(`/v1/sessions/${id}`))).toMatchObject({ modes: { currentModeId: "ask" } });
    const answer = gateway.post(`/v1/sessions/${id}/config`, { configId: "model", value: "large" });
    expect((await read(session, answer)).configOptions).toContainEqual(
      expect.objectContaining({ id: "model", currentValue: "large" }),
    );
  });
});

describe("prompts over REST", () => {
  test("are accepted at once, or answered when they have ended", async () => {
    const id = await newSession();
    const taken = await gateway.post(`/v1/sessions/${id}/prompt`, { text: "text Hello" });
    expect(taken.status).toBe(202);
    const { promptId } = await read(promptAccepted, taken);
    const waited = await gateway.get(`/v1/sessions/${id}/prompts/${promptId}`, { headers: { prefer: "wait=20" } });
    expect(waited.status).toBe(200);
    expect(waited.headers.get("preference-applied")).toBe("wait=20");
    expect(await read(promptAnswer, waited)).toMatchObject({ text: "Hello", stopReason: "end_turn" });
    const asked = await ask(id, "text Again");
    expect([asked.status, (await read(promptAnswer, asked)).text]).toEqual([200, "Again"]);
    const { prompts } = await read(
      z.object({ prompts: z.array(prompt) }),
      gateway.get(`/v1/sessions/${id}/prompts?limit=1`),
    );
    expect(prompts).toHaveLength(1);
  });

  test("that take longer than was to be waited are told as they stand", async () => {
    const id = await newSession();
    const slow = await gateway.post(`/v1/sessions/${id}/prompt?wait=0`, { text: "say 100 100" });
    expect(slow.status).toBe(202);
    expect(["queued", "running"]).toContain((await read(prompt, slow)).status);
    const cancelled = await read(
      z.object({ cancelled: z.array(z.string()) }),
      gateway.post(`/v1/sessions/${id}/cancel`),
    );
    expect(cancelled.cancelled).toHaveLength(1);
  });

  test("with the same Idempotency-Key are one prompt, and with another body a mistake", async () => {
    const id = await newSession();
    const key = { "idempotency-key": "once" };
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await read(promptAnswer, ask(id, "text One", key))).promptId),
    );
    expect(new Set(ids).size).toBe(1);
    expect((await ask(id, "text Other", key)).status).toBe(422);
    const quoted = await read(promptAnswer, ask(id, "text One", { "idempotency-key": '"once"' }));
    expect(quoted.promptId).toBe(ids[0] ?? "");
  });

  test("a permission is asked for, listed, answered once and gone", async () => {
    const id = await newSession();
    await gateway.post(`/v1/sessions/${id}/prompt`, { text: "ask edit a.txt" });
    const list = z.object({ permissions: z.array(permission) });
    const pending = async () => (await read(list, gateway.get(`/v1/sessions/${id}/permissions`))).permissions;
    await until(async () => (await pending()).length === 1);
    const [asked] = await pending();
    const permissionId = asked?.id ?? "";
    // A day by default: nobody has to answer at night, and nothing waits for ever.
    expect(Date.parse(asked?.expiresAt ?? "") - Date.parse(asked?.createdAt ?? "")).toBeWithin(86_399_000, 86_401_000);
    const path = `/v1/sessions/${id}/permissions/${permissionId}`;
    const answers = await Promise.all([1, 2].map(() => gateway.post(path, { decision: "allow_once" })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await pending()).toEqual([]);
    const { permissions } = await read(list, gateway.get(`/v1/sessions/${id}/permissions?status=all`));
    expect(permissions[0]).toMatchObject({ status: "answered", resolvedBy: "main" });
  });
});

describe("events over REST", () => {
  test("come as a stream, a page and lines, which all hold the same", async () => {
    const id = await newSession();
    await ask(id, "say 20");
    const path = `/v1/sessions/${id}/events?until=idle`;
    const stream = await gateway.get(path, { headers: { accept: "text/event-stream" } });
    expect(stream.headers.get("content-type")).toStartWith("text/event-stream");
    expect(stream.headers.get("x-accel-buffering")).toBe("no");
    const streamed = (await readEvents(stream)).map(({ data }) => data);
    const page = await gateway.get(path, { headers: { accept: "application/json" } });
    const { events, after, more } = (await page.json()) as { events: unknown[]; after: number; more: boolean };
    expect(events).toEqual(streamed);
    expect([after, more]).toEqual([streamed.at(-1)?.seq ?? 0, false]);
    const lines = await gateway.get(path, { headers: { accept: "application/x-ndjson" } });
    expect(
      (await lines.text())
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(streamed);
    expect(streamed.filter(({ type }) => type === "agent_message_chunk").length).toBeGreaterThan(0);
    expect((await gateway.get(path, { headers: { accept: "image/png" } })).status).toBe(406);
  });

  test("go on after what a client has, by Last-Event-ID before after", async () => {
    const id = await newSession();
    await ask(id, "say 5");
    const all = await readEvents(await gateway.get(`/v1/sessions/${id}/events?until=idle`));
    const middle = all[3]?.id ?? 0;
    const rest = await gateway.get(`/v1/sessions/${id}/events?until=idle&after=0`, {
      headers: { "last-event-id": String(middle) },
    });
    expect(await readEvents(rest)).toEqual(all.slice(4));
    const latest = await gateway.get(`/v1/sessions/${id}/events?until=idle&after=latest`);
    expect(await readEvents(latest)).toEqual([]);
    const only = await gateway.get(`/v1/sessions/${id}/events?until=idle&types=prompt_finished`);
    expect((await readEvents(only)).map(({ event }) => event)).toEqual(["prompt_finished"]);
  });

  test("come page by page without a gap or a double", async () => {
    const id = await newSession();
    await ask(id, "flood 500 300");
    const all = await readEvents(await gateway.get(`/v1/sessions/${id}/events?until=idle`));
    const seqs: number[] = [];
    let after = 0;
    for (let more = true; more;) {
      const page = await gateway.get(`/v1/sessions/${id}/events?after=${after}&limit=97`, {
        headers: { accept: "application/json" },
      });
      const got = (await page.json()) as { events: { seq: number }[]; after: number; more: boolean };
      seqs.push(...got.events.map(({ seq }) => seq));
      ({ after, more } = got);
    }
    expect(seqs).toEqual(all.map(({ id }) => id));
  });

  test("that are large are cut in pages, and whole where that is asked", async () => {
    const id = await newSession();
    await ask(id, "long 100000");
    const page = (full: boolean) =>
      gateway
        .get(`/v1/sessions/${id}/events?types=agent_message_chunk&full=${full}`, {
          headers: { accept: "application/json" },
        })
        .then((answer) => answer.text());
    expect((await page(true)).length).toBeGreaterThan(100_000);
    expect(await page(false)).toContain("more characters; ask with full=true");
    expect((await page(false)).length).toBeLessThan(20_000);
  });

  test("of the future end a wait for a page", async () => {
    const id = await newSession();
    const { after } = (await (
      await gateway.get(`/v1/sessions/${id}/events?limit=1000`, { headers: { accept: "application/json" } })
    ).json()) as { after: number };
    const waiting = gateway.get(`/v1/sessions/${id}/events?after=${after}&wait=20`, {
      headers: { accept: "application/json" },
    });
    await ask(id, "text x");
    const { events } = (await (await waiting).json()) as { events: unknown[] };
    expect(events.length).toBeGreaterThan(0);
  });

  test("of a session that is removed end its streams", async () => {
    const id = await newSession();
    const stream = readEvents(await gateway.get(`/v1/sessions/${id}/events`));
    await gateway.get(`/v1/sessions/${id}`, { method: "DELETE" });
    expect((await stream).at(-1)?.event).toBe("session_deleted");
  });

  test("of all sessions come from one place", async () => {
    const ids = await Promise.all([newSession(), newSession()]);
    await Promise.all(ids.map((id) => ask(id, "text x")));
    const told = await readEvents(await gateway.get("/v1/events?until=idle&types=prompt_finished"));
    const sessionIds = new Set(told.map(({ data }) => data["sessionId"]));
    for (const id of ids) expect(sessionIds).toContain(id);
  });

  test("HEAD opens no stream", async () => {
    const id = await newSession();
    const answer = await gateway.get(`/v1/sessions/${id}/events`, { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    expect(await (await gateway.get("/metrics")).text()).toContain('acp_gateway_readers{kind="rest"} 0\n');
  });
});

describe("what can be learned from outside", () => {
  test("the transcript, as messages and to be read", async () => {
    const id = await newSession({ title: "Talk\n# of a heading" });
    await ask(id, "text Answered\nthink Hm");
    const path = `/v1/sessions/${id}/transcript`;
    const { messages } = (await (await gateway.get(path)).json()) as { messages: { role: string }[] };
    expect(messages.map(({ role }) => role)).toEqual(["user", "agent"]);
    const text = await (await gateway.get(path, { headers: { accept: "text/markdown" } })).text();
    expect(text).toStartWith("# Talk # of a heading\n\n## User\n\ntext Answered");
    expect(text).toContain("## scripted\n\nAnswered");
    expect(text).toContain("> Hm");
  });

  test("activity, which is none once nothing runs and nobody looks on", async () => {
    const id = await newSession();
    await gateway.post(`/v1/sessions/${id}/prompt`, { text: "say 1000 50" });
    const activity = async () => (await (await gateway.get("/v1/activity")).json()) as Record<string, unknown>;
    await until(async () => (await activity())["turnsRunning"] === 1);
    expect(await activity()).toMatchObject({ idle: false, terminalsOpen: 0 });
    await gateway.post(`/v1/sessions/${id}/cancel`);
    await until(async () => (await activity())["turnsRunning"] === 0);
    const leaving = new AbortController();
    const stream = await gateway.get(`/v1/sessions/${id}/events?after=latest`, { signal: leaving.signal });
    await until(async () => (await activity())["clientsAttached"] === 1);
    expect(await activity()).toMatchObject({ idle: false });
    leaving.abort();
    await stream.body?.cancel().catch(() => undefined);
    await until(async () => (await activity())["clientsAttached"] === 0);
    expect(await activity()).toMatchObject({ idle: true, lastEventAt: expect.any(String) });
  });

  test("metrics that Prometheus can read", async () => {
    const answer = await gateway.get("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await answer.text();
    expect(readMetrics(text).size).toBeGreaterThan(20);
    expect(text).toMatch(/acp_gateway_requests_total\{method="POST",route="\/v1\/sessions",status="201"\} [1-9]/);
    expect(text).toMatch(/acp_gateway_prompts_total\{outcome="finished"\} [1-9]/);
    expect(text).toMatch(/acp_gateway_events_total\{type="update"\} [1-9]\d{2}/);
    expect(text).toMatch(/process_resident_memory_bytes [1-9]\d{6}/);
  });

  test("readiness, without a token", async () => {
    const answer = await fetch(`${gateway.url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { status: "ready", checks: { log: "ok", shuttingDown: false } },
    ]);
  });
});

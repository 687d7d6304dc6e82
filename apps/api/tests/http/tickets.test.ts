import { describe, expect, test } from "bun:test";
import { createTestApp } from "../support/app.ts";
import { createProxied, openSocket, serveGateway } from "../support/proxied-gateway.ts";

const token = "correct-horse-battery-staple";
const bearer = { authorization: `Bearer ${token}` };
const EVENTS = "/api/events";

type Call = ReturnType<typeof createTestApp>["call"];

async function ticketFor(path: string, call: Call): Promise<string> {
  const { status, body } = await call("POST", "/api/tickets", { path }, bearer);
  expect(status).toBe(201);
  return String(body.ticket);
}

/** The status of a stream, which is not read. */
async function statusOf(request: Promise<Response>): Promise<number> {
  const { status, body } = await request;
  await body?.cancel();
  return status;
}

describe("a ticket", () => {
  test("opens its path once, with a query and for a page of an allowed origin", async () => {
    const origin = "https://pods.example.com";
    const api = createTestApp({ auth: { token, allowedOrigins: [origin] } });
    const ticket = await ticketFor(EVENTS, api.call);
    const opened = await api.app.request(`${EVENTS}?after=0&ticket=${ticket}`, { headers: { origin } });
    expect([opened.status, opened.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    await opened.body?.cancel();
    const again = await api.app.request(`${EVENTS}?ticket=${ticket}`, { headers: { origin } });
    expect([again.status, again.headers.get("access-control-allow-origin")]).toEqual([401, origin]);
    expect(await again.json()).toMatchObject({ code: "unauthorized", detail: expect.stringContaining("/api/tickets") });
    expect(JSON.stringify(api.logged)).not.toContain(ticket);
    await api.close();
  });

  test("is lost on another path, by another method and after a minute", async () => {
    let time = Date.now();
    const api = createTestApp({ auth: { token }, now: () => new Date(time) });
    const tickets = await Promise.all([1, 2, 3, 4].map(() => ticketFor(EVENTS, api.call)));
    const [elsewhere, posted, late, inTime] = tickets;
    for (const path of ["/api/projects", "/api/projects/x/events", `${EVENTS}/`]) {
      const stray = await ticketFor(EVENTS, api.call);
      expect((await api.call("GET", `${path}?ticket=${stray}`)).status).toBe(401);
      expect((await api.call("GET", `${EVENTS}?ticket=${stray}`)).status).toBe(401);
    }
    expect((await api.call("GET", `/api/projects?ticket=${elsewhere}`)).status).toBe(401);
    expect((await api.call("POST", `/api/tickets?ticket=${posted}`, { path: EVENTS })).status).toBe(401);
    time += 59_000;
    expect(await statusOf(api.app.request(`${EVENTS}?ticket=${inTime}`))).toBe(200);
    time += 1_000;
    expect((await api.call("GET", `${EVENTS}?ticket=${late}`)).status).toBe(401);
    await api.close();
  });

  test("does not make up for a wrong token, and is given to nobody without one", async () => {
    const api = createTestApp({ auth: { token } });
    const ticket = await ticketFor(EVENTS, api.call);
    const wrong = { authorization: "Bearer wrong-token-of-someone" };
    expect((await api.call("GET", `${EVENTS}?ticket=${ticket}`, undefined, wrong)).status).toBe(401);
    expect((await api.call("POST", "/api/tickets", { path: EVENTS }, wrong)).status).toBe(401);
    await api.close();
  });

  test.each([
    "/api/projects",
    "/api/providers",
    "/metrics",
    "/api/events?after=1",
    "/api/events/",
    "https://evil.example/api/events",
    "/api/projects/a/b/events",
    "/api/projects/x/agent/",
    "/api/projects/x/agent/v1/fs/a b",
    "",
  ])("is not given for %j", async (path) => {
    const api = createTestApp({ auth: { token } });
    const { status, body } = await api.call("POST", "/api/tickets", { path }, bearer);
    expect([status, body.code]).toEqual([422, "validation_failed"]);
    await api.close();
  });

  test("is kept from the gateway, whose answer and WebSocket it opens", async () => {
    await using gateway = serveGateway(() => new Response("a file"));
    await using api = await createProxied(gateway.port, { auth: { token } });
    const file = `${api.place}/v1/fs/a%20b.txt`;
    const shown = await fetch(`http://127.0.0.1:${api.port}${file}?x=%2F&ticket=${await ticketFor(file, api.call)}&y`);
    expect([shown.status, await shown.text()]).toEqual([200, "a file"]);
    const terminal = `${api.place}/v1/terminals/t/ws`;
    const { socket, opened } = openSocket(
      `ws://127.0.0.1:${api.port}${terminal}?ticket=${await ticketFor(terminal, api.call)}`,
    );
    await opened;
    socket.close();
    expect(gateway.heard.map(({ path }) => path)).toEqual(["/v1/fs/a%20b.txt?x=%2F&y", "/v1/terminals/t/ws"]);
  });

  test("changes nothing where no token is asked for", async () => {
    const api = createTestApp();
    const { body } = await api.call("POST", "/api/tickets", { path: EVENTS });
    expect(await statusOf(api.app.request(`${EVENTS}?ticket=${body.ticket}`))).toBe(200);
    await api.close();
  });
});

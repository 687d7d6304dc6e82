import { describe, expect, test } from "bun:test";
import { json, route } from "../../src/http/route.ts";
import type { Scope } from "../../src/types.ts";
import { SCOPES } from "../../src/types.ts";
import { MAIN, namedToken, READER, serveApp } from "../support/served-app.ts";

const whoFor = (scope: Scope | null, path: string) =>
  route({
    method: "GET",
    path,
    scope,
    summary: "Who calls",
    responses: { 200: { description: "The caller" } },
    handler: ({ caller }) => json({ name: caller.name, scopes: [...caller.scopes] }),
  });
const surface = {
  routes: [whoFor(null, "/who"), ...SCOPES.map((scope) => whoFor(scope, `/needs/${scope}`))],
  sockets: [
    {
      path: "/echo/:name",
      scope: "read" as const,
      protocols: ["acp.v1"],
      summary: "Says what it was told",
      connect: ({
        params,
        caller,
        protocol,
      }: {
        params: Record<string, string>;
        caller: { name: string };
        protocol: string | null;
      }) => {
        let say: (text: string) => void = () => undefined;
        return {
          headers: { "x-name": "echo" },
          open: (socket: { send(text: string): number }) => {
            say = (text) => void socket.send(text);
            say(JSON.stringify({ name: params["name"], caller: caller.name, protocol }));
          },
          message: (data: string | Buffer) => {
            if (data === "throw") throw new Error("as it was asked to");
            say(String(data));
          },
        };
      },
    },
  ],
};

describe("who may call", () => {
  test("a scope opens its own routes and no other", async () => {
    await using app = serveApp([surface]);
    for (const scope of SCOPES) {
      expect((await app.call(`/needs/${scope}`)).status).toBe(200);
      const answer = await app.call(`/needs/${scope}`, { token: READER });
      expect(answer.status).toBe(scope === "read" ? 200 : 403);
      if (scope !== "read") {
        expect(answer.headers.get("www-authenticate")).toContain(`scope="${scope}"`);
        expect(await answer.json()).toMatchObject({ code: "forbidden", requestId: answer.headers.get("x-request-id") });
      }
    }
  });

  test("a cookie stands for the token, until it expires, and cannot be changed", async () => {
    let time = Date.now();
    await using app = serveApp([surface], { now: () => time });
    const login = await app.call("/v1/login", { method: "POST", token: READER });
    expect(login.status).toBe(204);
    const cookie = login.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(READER);
    const value = cookie.split(";")[0] ?? "";
    const withCookie = (cookie: string, path = "/who") => app.call(path, { token: null, headers: { cookie } });
    expect(await (await withCookie(`other=1; ${value}`)).json()).toEqual({ name: "reader", scopes: ["read"] });
    expect((await withCookie(value, "/needs/admin")).status).toBe(403);
    expect((await withCookie(value.replace("reader", "main"))).status).toBe(401);
    expect((await withCookie(`${value}x`)).status).toBe(401);
    const later = String(time + 10 ** 9);
    expect((await withCookie(value.replace(/~\d+~/, `~${later}~`))).status).toBe(401);
    time += 13 * 3600 * 1000;
    const expired = await withCookie(value);
    expect(await expired.json()).toMatchObject({
      status: 401,
      detail: expect.stringContaining("the cookie has expired"),
    });
  });

  test("the cookie is for TLS only where TLS is spoken, and logging out removes it", async () => {
    await using app = serveApp([surface]);
    const secure = await app.call("/v1/login", { method: "POST", headers: { "x-forwarded-proto": "https" } });
    expect(secure.headers.get("set-cookie")).toEndWith("; Secure");
    const out = await app.call("/v1/login", { method: "DELETE" });
    expect(out.headers.get("set-cookie")).toContain("agentpod_gateway=; Path=/; Max-Age=0");
  });

  test("a ticket serves one GET, within a minute, with no more than its scopes", async () => {
    let time = Date.now();
    await using app = serveApp([surface], { now: () => time });
    const issue = async (body?: unknown, token = MAIN) => {
      const answer = await app.call("/v1/tickets", {
        method: "POST",
        token,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      expect(answer.status).toBe(201);
      return ((await answer.json()) as { ticket: string }).ticket;
    };
    const use = (ticket: string, path = "/who", method = "GET") =>
      app.call(`${path}?ticket=${ticket}`, { token: null, method });
    const first = await issue();
    expect((await use(first, "/v1/tickets", "POST")).status).toBe(401);
    expect(await (await use(first)).json()).toMatchObject({ name: "main" });
    expect(await (await use(first)).json()).toMatchObject({
      status: 401,
      detail: expect.stringContaining("the ticket was used or has expired"),
    });
    expect((await use(await issue({ scopes: ["read"] }), "/needs/admin")).status).toBe(403);
    const late = await issue();
    time += 60_001;
    expect((await use(late)).status).toBe(401);
    const more = await app.call("/v1/tickets", {
      method: "POST",
      token: READER,
      body: '{"scopes":["admin"]}',
      headers: { "content-type": "application/json" },
    });
    expect(more.status).toBe(403);
  });

  test("tickets that nobody uses do not pile up", async () => {
    await using app = serveApp([surface]);
    const issue = async () =>
      ((await (await app.call("/v1/tickets", { method: "POST" })).json()) as { ticket: string }).ticket;
    const oldest = await issue();
    for (let round = 0; round < 16; round += 1) await Promise.all(Array.from({ length: 64 }, issue));
    const newest = await issue();
    expect((await app.call(`/who?ticket=${oldest}`, { token: null })).status).toBe(401);
    expect((await app.call(`/who?ticket=${newest}`, { token: null })).status).toBe(200);
  });

  test("without tokens anyone may do everything", async () => {
    await using app = serveApp([surface], { tokens: [] });
    expect(await (await app.call("/who", { token: null })).json()).toEqual({ name: "anyone", scopes: [...SCOPES] });
  });

  test("a token's requests are limited by the minute, and another's are not", async () => {
    let time = 1_000_000;
    await using app = serveApp([surface], { limits: { requestsPerMinute: 5 }, now: () => time });
    for (let index = 0; index < 5; index += 1) expect((await app.call("/who")).status).toBe(200);
    const refused = await app.call("/who");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBe(12);
    expect((await app.call("/who", { token: READER })).status).toBe(200);
    time += 12_000;
    expect((await app.call("/who")).status).toBe(200);
  });

  test("a clock that is set back takes no requests away", async () => {
    let time = 10_000_000;
    await using app = serveApp([surface], { limits: { requestsPerMinute: 5 }, now: () => time });
    expect((await app.call("/who")).status).toBe(200);
    time -= 3_600_000;
    expect((await app.call("/who")).status).toBe(200);
  });

  test("wrong tokens, tickets and cookies are limited together, and a right one is let in all the same", async () => {
    let time = 1_000_000;
    await using app = serveApp([surface], { limits: { wrongTokensPerMinute: 6 }, now: () => time });
    const guesses = [
      () => app.call("/who", { token: "guessed" }),
      () => app.call("/who?ticket=guessed", { token: null }),
      () => app.call("/who", { token: null, headers: { cookie: "agentpod_gateway=main~99999999999999~x" } }),
    ];
    for (const guess of [...guesses, ...guesses]) expect((await guess()).status).toBe(401);
    for (const guess of guesses) {
      const refused = await guess();
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
      expect(await refused.json()).toMatchObject({
        code: "too_many_requests",
        detail: expect.stringContaining("wrong"),
      });
    }
    // Who says nothing guesses nothing, and is told what is missing.
    expect((await app.call("/who", { token: null })).status).toBe(401);
    expect((await app.call("/who")).status).toBe(200);
    const { ticket } = (await (await app.call("/v1/tickets", { method: "POST" })).json()) as { ticket: string };
    expect((await app.call(`/who?ticket=${ticket}`, { token: null })).status).toBe(200);
    time += 10_000;
    expect((await app.call("/who", { token: "guessed" })).status).toBe(401);
    expect((await app.call("/who", { token: "guessed" })).status).toBe(429);
  });

  test("by default guesses end soon and what programs ask does not; 0 takes either limit off", async () => {
    const wrong = async (app: ReturnType<typeof serveApp>) =>
      new Set(
        await Promise.all(
          Array.from({ length: 100 }, async () => (await app.call("/who", { token: "guessed" })).status),
        ),
      );
    const right = async (app: ReturnType<typeof serveApp>) => {
      const statuses = new Set<number>();
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all(Array.from({ length: 100 }, () => app.call("/who")));
        for (const { status } of answers) statuses.add(status);
      }
      return statuses;
    };
    const now = () => 1_000_000;
    await using app = serveApp([surface], { now });
    expect(await wrong(app)).toEqual(new Set([401, 429]));
    expect(await right(app)).toEqual(new Set([200]));
    await using open = serveApp([surface], { limits: { wrongTokensPerMinute: 0, requestsPerMinute: 0 }, now });
    expect(await wrong(open)).toEqual(new Set([401]));
    expect((await open.call("/who")).status).toBe(200);
  });
});

describe("who may connect a WebSocket", () => {
  type Told = { name: string; caller: string; protocol: string | null };
  const connect = (url: string, protocols: string[], headers: Record<string, string> = {}) =>
    new Promise<{ told: Told; protocol: string; socket: WebSocket } | null>((resolve) => {
      const socket = new WebSocket(url.replace("http", "ws"), { protocols, headers });
      const greeted = (event: MessageEvent) =>
        resolve({ told: JSON.parse(String(event.data)) as Told, protocol: socket.protocol, socket });
      socket.addEventListener("message", greeted, { once: true });
      socket.addEventListener("error", () => resolve(null));
    });

  test("the token may come as a subprotocol, which is never echoed", async () => {
    await using app = serveApp([surface]);
    const connected = await connect(`${app.url}/echo/a%20b`, ["acp.v1", `bearer.${MAIN}`]);
    expect(connected?.told).toEqual({ name: "a b", caller: "main", protocol: "acp.v1" });
    expect(connected?.protocol).toBe("acp.v1");
    connected?.socket.close();
    expect(await connect(`${app.url}/echo/x`, ["acp.v1", "bearer.wrong"])).toBeNull();
    expect(await connect(`${app.url}/echo/x`, [])).toBeNull();
  });

  test("a browser that offers agentpod beside its token gets it back where nothing else is spoken", async () => {
    await using app = serveApp([surface]);
    const connected = await connect(`${app.url}/echo/x`, [`bearer.${MAIN}`, "agentpod"]);
    expect(connected?.told).toEqual({ name: "x", caller: "main", protocol: null });
    expect(connected?.protocol).toBe("agentpod");
    connected?.socket.close();
    const both = await connect(`${app.url}/echo/x`, ["agentpod", "acp.v1", `bearer.${MAIN}`]);
    expect(both?.protocol).toBe("acp.v1");
    both?.socket.close();
  });

  test("a client that offers none of the protocols is served without one", async () => {
    await using app = serveApp([surface]);
    const connected = await connect(`${app.url}/echo/x`, [], { authorization: `Bearer ${READER}` });
    expect(connected?.told).toEqual({ name: "x", caller: "reader", protocol: null });
    expect(connected?.protocol).toBe("");
    connected?.socket.close();
  });

  test("a page of elsewhere, a token without the scope and one socket too many are refused", async () => {
    const tokens = [namedToken("main", MAIN, SCOPES), namedToken("files", READER, ["files"])];
    await using app = serveApp([surface], { limits: { sockets: 1 }, tokens });
    const authorization = `Bearer ${MAIN}`;
    expect(await connect(`${app.url}/echo/x`, [], { authorization, origin: "https://evil.example" })).toBeNull();
    expect(await connect(`${app.url}/echo/x`, [], { authorization: `Bearer ${READER}` })).toBeNull();
    const first = await connect(`${app.url}/echo/x`, [], { authorization });
    expect(first).not.toBeNull();
    expect(await connect(`${app.url}/echo/x`, [], { authorization })).toBeNull();
    first?.socket.close();
  });

  test("a request that is no WebSocket is told so", async () => {
    await using app = serveApp([surface]);
    const answer = await app.call("/echo/x");
    expect([answer.status, answer.headers.get("upgrade")]).toEqual([426, "websocket"]);
    expect((await app.call("/echo/x", { token: null })).status).toBe(401);
  });

  test("a handler that throws ends its own socket and nothing else", async () => {
    await using app = serveApp([surface]);
    const headers = { authorization: `Bearer ${MAIN}` };
    const [first, second] = await Promise.all([1, 2].map(() => connect(`${app.url}/echo/x`, [], headers)));
    const closed = new Promise<number>((resolve) =>
      first?.socket.addEventListener("close", ({ code }) => resolve(code)),
    );
    first?.socket.send("throw");
    expect(await closed).toBe(1011);
    const answered = new Promise((resolve) => second?.socket.addEventListener("message", ({ data }) => resolve(data)));
    second?.socket.send("still here");
    expect(await answered).toBe("still here");
    second?.socket.close();
  });
});

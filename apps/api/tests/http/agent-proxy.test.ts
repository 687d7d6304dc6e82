import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { type Scope, SCOPES } from "../../src/http/principal.ts";
import { ApiError, problemResponse } from "../../src/http/problem.ts";
import { createRouter } from "../../src/http/router.ts";
import { projectAgentRoutes } from "../../src/routes/project-agent.ts";
import { createProxied, serveGateway } from "../support/proxied-gateway.ts";
import { rawRequest } from "../support/raw-http.ts";

const token = "an-api-token-of-the-tests";
const bearer = { authorization: `Bearer ${token}` };
const json = (value: unknown, headers: Record<string, string> = {}) => Response.json(value, { headers });
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const lifeOf = async (answer: Response) => ((await answer.json()) as { life: number }).life;

describe("a request for a project's agents", () => {
  test("reaches the gateway with its own token and without what is the caller's", async () => {
    await using gateway = serveGateway(async (request) => json({ body: await request.text() }));
    await using api = await createProxied(gateway.port, { auth: { token } });
    const answer = await fetch(`${api.url}/v1/sessions?after=3&ticket=t%20x`, {
      method: "POST",
      body: "the body",
      headers: {
        ...bearer,
        cookie: "session=secret",
        origin: "https://elsewhere.example",
        referer: "https://elsewhere.example/?secret",
        "sec-fetch-site": "cross-site",
        "x-forwarded-for": "1.2.3.4",
        "idempotency-key": "k1",
        "last-event-id": "7",
        "x-request-id": "mine-1",
      },
    });
    expect(await answer.json()).toEqual({ body: "the body" });
    const [heard] = gateway.heard;
    expect(heard).toMatchObject({ method: "POST", path: "/v1/sessions?after=3&ticket=t%20x" });
    const { headers = {} } = heard ?? {};
    expect(headers["authorization"]).toMatch(/^Bearer [\w-]{43}$/);
    expect(headers).toMatchObject({ host: `127.0.0.1:${gateway.port}`, "idempotency-key": "k1", "last-event-id": "7" });
    expect(headers["x-request-id"]).toBe("mine-1");
    for (const name of ["cookie", "origin", "referer", "sec-fetch-site", "x-forwarded-for"]) {
      expect(headers).not.toContainKey(name);
    }
    expect(JSON.stringify(gateway.heard)).not.toContain(token);
  });

  test("is answered as the gateway answers, but for what would be said in the API's name", async () => {
    await using gateway = serveGateway(() =>
      json(
        { code: "session_not_found" },
        {
          "set-cookie": "agentpod_gateway=secret; Path=/",
          server: "sandbox",
          "access-control-allow-origin": "*",
          "access-control-allow-credentials": "true",
          "clear-site-data": '"*"',
          "content-security-policy": "default-src *",
          "www-authenticate": "Basic",
          refresh: "0; url=https://evil.example",
          "content-type": "application/problem+json",
          etag: '"1"',
          "acp-connection-id": "c1",
          "retry-after": "3",
        },
      ),
    );
    await using api = await createProxied(gateway.port, { auth: { token, allowedOrigins: ["https://dash.example"] } });
    const { headers, body } = await api.call("GET", `${api.place}/v1/sessions/x`, undefined, bearer);
    expect(body).toEqual({ code: "session_not_found" });
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "application/problem+json",
      etag: '"1"',
      "acp-connection-id": "c1",
      "retry-after": "3",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
      "x-content-type-options": "nosniff",
    });
    for (const name of ["set-cookie", "server", "clear-site-data", "www-authenticate", "refresh"]) {
      expect([name, headers.get(name)]).toEqual([name, null]);
    }
    expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    const shared = await api.call("GET", `${api.place}/acp`, undefined, { ...bearer, origin: "https://dash.example" });
    expect(shared.headers.get("access-control-allow-origin")).toBe("https://dash.example");
    expect(shared.headers.get("access-control-expose-headers")).toContain("acp-connection-id");
    expect(shared.headers.get("access-control-allow-credentials")).toBeNull();
  });

  test("keeps encodings, lengths, ranges and HEAD as they are", async () => {
    const packed = gzipSync("hello ".repeat(100));
    await using gateway = serveGateway((request) =>
      request.headers.has("range")
        ? new Response("ell", { status: 206, headers: { "content-range": "bytes 1-3/5" } })
        : new Response(packed, { headers: { "content-encoding": "gzip" } }),
    );
    await using api = await createProxied(gateway.port);
    const whole = await fetch(`${api.url}/v1/fs/a`, { decompress: false });
    expect(whole.headers.get("content-length")).toBe(String(packed.length));
    expect(Buffer.from(await whole.arrayBuffer()).equals(packed)).toBe(true);
    const part = await fetch(`${api.url}/v1/fs/a`, { headers: { range: "bytes=1-3" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 1-3/5", "ell"]);
    const head = await fetch(`${api.url}/v1/fs/a`, { method: "HEAD", decompress: false });
    expect([head.headers.get("content-length"), await head.text()]).toEqual([String(packed.length), ""]);
    expect(gateway.heard.map(({ method }) => method)).toEqual(["GET", "GET", "HEAD"]);
  });

  test.each([
    ["/v1/sessions/s1", "/v1/sessions/s1"],
    ["https://evil.example/v1", null],
    ["//evil.example/v1", null],
    ["/\\evil.example", null],
    ["sessions/s1", null],
  ])("leads on to %s only at its own place", async (location, below) => {
    await using gateway = serveGateway(() => new Response(null, { status: 201, headers: { location } }));
    await using api = await createProxied(gateway.port);
    const { headers } = await fetch(`${api.url}/v1/sessions`, { method: "POST", redirect: "manual" });
    expect(headers.get("location")).toBe(below === null ? null : api.place + below);
  });

  test("cannot leave the gateway's own paths", async () => {
    await using gateway = serveGateway(() => json({}));
    await using api = await createProxied(gateway.port);
    const paths = [
      "/../../../../metrics",
      "/v1/../info",
      "/v1/%2e%2e/info",
      "/v1/%2e%2e%2finfo",
      "/v1/..%2finfo",
      "/v1//info",
      "/v1\\..\\info",
      "/info",
      "/v1/login",
      "/v1/%6Cogin",
      "/v1/tickets",
      "",
      "/",
    ];
    for (const path of paths) {
      const { status, body } = await rawRequest(
        api.port,
        `GET ${api.place}${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      );
      // Bun settles dots before the API sees them: the first of these is then its own /metrics.
      if (status === 200) expect(path).toBe("/../../../../metrics");
      else
        expect([path, status, JSON.parse(body).code]).toEqual([
          path,
          status,
          status === 400 ? "invalid_request" : "not_found",
        ]);
    }
    expect(gateway.heard).toEqual([]);
  });

  test("needs the scope for agents, and no page of elsewhere may send it", async () => {
    await using gateway = serveGateway(() => json({}));
    await using guarded = await createProxied(gateway.port, { auth: { token } });
    for (const headers of [{}, { authorization: "Bearer something-else-entirely" }, { cookie: `token=${token}` }]) {
      const answer = await fetch(`${guarded.url}/v1/sessions`, { headers });
      expect([answer.status, await codeOf(answer)]).toEqual([401, "unauthorized"]);
    }
    // Only a WebSocket's handshake may bring the token so.
    const plain = await fetch(`${guarded.url}/v1/sessions`, {
      headers: { "sec-websocket-protocol": `bearer.${token}` },
    });
    expect(plain.status).toBe(401);
    await using local = await createProxied(gateway.port);
    for (const headers of [{ origin: "https://evil.example" }, { host: "evil.example" }]) {
      expect((await fetch(`${local.url}/v1/sessions`, { method: "POST", headers })).status).toBe(403);
    }
    expect(gateway.heard).toEqual([]);
    expect(guarded.app.document.paths?.["/api/projects/{id}/agent/{path}"]?.post?.security).toEqual([
      { bearer: ["agents:use"] },
    ]);
  });

  test("is refused to a caller with other scopes only", async () => {
    let asked = 0;
    const answer = async () => new Response(String((asked += 1)));
    const app = createRouter().route("/api/projects", projectAgentRoutes({ proxy: { answer, connect: answer } }));
    app.onError((error) => {
      if (error instanceof ApiError) return problemResponse(error, "r");
      throw error;
    });
    const send = async (scopes: Scope[]) => {
      const env = { requestId: "r", principal: { id: "someone", scopes: new Set(scopes) }, server: undefined };
      return await app.fetch(new Request("http://127.0.0.1/api/projects/p1/agent/v1/sessions"), env);
    };
    const refused = await send(SCOPES.filter((scope) => scope !== "agents:use"));
    expect([refused.status, await codeOf(refused), asked]).toEqual([403, "forbidden", 0]);
    expect((await send(["agents:use"])).status).toBe(200);
  });

  test("tells a gateway that is away, or that does not know the token, from a project that does not run", async () => {
    const gateway = serveGateway((_, path) => new Response("{}", { status: path === "/v1/x" ? 401 : 200 }));
    await using api = await createProxied(gateway.port);
    const refused = await api.call("GET", `${api.place}/v1/x`);
    expect(refused).toMatchObject({ status: 502, body: { code: "gateway_unreachable" } });
    expect(refused.body.detail).toContain("token");
    await gateway.stop();
    const away = await api.call("GET", `${api.place}/v1/x`);
    expect(away).toMatchObject({ status: 502, body: { code: "gateway_unreachable" } });
    expect(away.body.detail).toContain("connection refused");
    await api.call("POST", `/api/projects/${api.projectId}/stop`, undefined, { prefer: "wait=5" });
    const stopped = await api.call("GET", `${api.place}/v1/x`);
    expect(stopped).toMatchObject({ status: 409, body: { code: "not_running" } });
    expect(stopped.body.detail).toContain("start it");
    await api.call("DELETE", `/api/projects/${api.projectId}`, undefined, { prefer: "wait=5" });
    expect((await api.call("GET", `${api.place}/v1/x`)).body.code).toBe("project_not_found");
  });

  test("finds a gateway that was started anew behind a kept connection", async () => {
    const first = serveGateway(() => json({ life: 1 }));
    await using api = await createProxied(first.port);
    expect(await lifeOf(await fetch(`${api.url}/health`))).toBe(1);
    await first.stop();
    const second = Bun.serve({ hostname: "127.0.0.1", port: first.port, fetch: () => json({ life: 2 }) });
    expect(await lifeOf(await fetch(`${api.url}/health`))).toBe(2);
    await second.stop(true);
  });

  test("finds its gateway by the public URL where none of its ports is on this host", async () => {
    await using gateway = serveGateway(() => json({ here: true }));
    await using api = await createProxied(gateway.port);
    api.db.run("UPDATE port_allocations SET port = NULL WHERE project_id = ?1", [api.projectId]);
    api.db.run("UPDATE projects SET gateway_url = ?1 WHERE id = ?2", [
      `http://127.0.0.1:${gateway.port}`,
      api.projectId,
    ]);
    expect((await api.call("GET", `${api.place}/health`)).body).toEqual({ here: true });
    api.db.run("UPDATE projects SET gateway_url = NULL WHERE id = ?1", [api.projectId]);
    expect(await api.call("GET", `${api.place}/health`)).toMatchObject({ status: 409, body: { code: "not_running" } });
  });

  test("is counted and logged by one name, without what was asked for", async () => {
    await using gateway = serveGateway(() => json({}));
    await using api = await createProxied(gateway.port, { logLevel: "debug" });
    await fetch(`${api.url}/v1/sessions?secret=hidden`);
    await fetch(`${api.url}/v1/fs/hidden`, { method: "PUT", body: "hidden" });
    const { text } = api.metrics.render(null);
    expect(text).toContain(`method="GET",route="/api/projects/{id}/agent/{path}",status="2xx"} 1`);
    expect(text).toContain(`method="PUT",route="/api/projects/{id}/agent/{path}",status="2xx"} 1`);
    expect(JSON.stringify(api.logged)).toContain("/api/projects/{id}/agent/{path}");
    expect(JSON.stringify(api.logged) + text).not.toContain("hidden");
  });
});

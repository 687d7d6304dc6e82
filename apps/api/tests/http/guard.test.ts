import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PROBLEM_HELP } from "../../src/http/problem-help.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { rawRequest } from "../support/raw-http.ts";

const token = "correct-horse-battery-staple";
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

describe("without a token", () => {
  let api: TestApp;
  let server: Bun.Server<unknown>;
  beforeAll(() => {
    api = createTestApp({ auth: { allowedOrigins: ["https://pods.example.com"] } });
    server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: api.app.fetch });
  });
  afterAll(async () => {
    await server.stop(true);
    await api.close();
  });

  test.each(["127.0.0.1", "127.0.0.1:3001", "localhost", "LOCALHOST:80", "[::1]", "[::1]:3001"])(
    "a client of this machine gets in by Host %s",
    async (host) => {
      expect((await api.call("GET", "/api/flavors", undefined, { host })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "evil.example:3001",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example#127.0.0.1",
    "127.0.0.1@evil.example",
    "127.0.0.2",
    "0.0.0.0",
    "",
  ])("a name made to point here (Host %j) is refused on every path", async (host) => {
    for (const path of ["/api/flavors", "/api/projects", "/health", "/nope"]) {
      const { status, body } = await api.call("GET", path, undefined, { host });
      expect(status).toBe(403);
      expect(body).toMatchObject({ code: "host_not_allowed", error: expect.stringContaining("API_TOKEN") });
    }
  });

  test("the refusal and its help name hosts that are served", async () => {
    const { body } = await api.call("GET", "/api/flavors", undefined, { host: "evil.example" });
    for (const text of [body.detail, PROBLEM_HELP.host_not_allowed.fix]) {
      const named = text.match(/127\.0\.0\.1|localhost|\[::1\]/g);
      expect(named).toHaveLength(3);
      for (const host of named) {
        expect((await api.call("GET", "/api/flavors", undefined, { host })).status).toBe(200);
      }
    }
  });

  test("the Host header is judged as it came over the wire", async () => {
    const port = server.port ?? 0;
    const answer = async (head: string) => (await rawRequest(port, `${head}\r\n\r\n`)).status;
    expect(await answer("GET /api/flavors HTTP/1.1\r\nHost: 127.0.0.1")).toBe(200);
    expect(await answer("GET /api/flavors HTTP/1.1\r\nHost: evil.example")).toBe(403);
    expect(await answer("GET http://127.0.0.1/api/flavors HTTP/1.1\r\nHost: evil.example")).toBeGreaterThanOrEqual(400);
    for (const head of [
      "GET /api/flavors HTTP/1.0",
      "GET /api/flavors HTTP/1.1",
      "GET /api/flavors HTTP/1.1\r\nHost:",
    ]) {
      const status = await answer(head);
      expect(status === 0 || (status >= 400 && status < 500)).toBe(true);
    }
  });

  test("a page of an allowed origin may read the answers", async () => {
    const origin = "https://pods.example.com";
    for (const path of ["/api/flavors", "/api/flavors/js", "/api/flavors/nope"]) {
      const { headers } = await api.call("GET", path, undefined, { origin });
      expect(headers.get("access-control-allow-origin")).toBe(origin);
      const exposed = headers.get("access-control-expose-headers")?.split(", ");
      expect(exposed).toEqual(expect.arrayContaining(["etag", "location", "retry-after", "content-disposition"]));
      expect(headers.get("vary")).toContain("Origin");
    }
  });

  test.each([
    ["127.0.0.1:3001", "http://127.0.0.1:3001"],
    ["LOCALHOST:3001", "http://localhost:3001"],
    ["[::1]:8443", "https://[::1]:8443"],
    ["localhost", "http://localhost"],
  ])("the API's own page on %s may call", async (host, origin) => {
    expect((await api.call("POST", "/api/images/resolve", {}, { host, origin })).status).toBe(200);
  });

  test.each([
    ["127.0.0.1:3001", "http://127.0.0.1:20001"],
    ["127.0.0.1:3001", "http://localhost:3001"],
    ["127.0.0.1:3001", "http://127.0.0.1"],
    ["127.0.0.1", "http://127.0.0.1:3001"],
    ["localhost:3001", "ftp://localhost:3001"],
    ["localhost:3001", "http://localhost:3001/"],
    ["localhost:3001", "http://localhost:3001.evil.example"],
  ])("a page elsewhere on this machine, as of a sandbox, does nothing (Host %s, Origin %s)", async (host, origin) => {
    const refused = await api.call("POST", "/api/projects", { name: "Theirs" }, { host, origin });
    expect([refused.status, refused.body.code]).toEqual([403, "origin_not_allowed"]);
    expect(refused.headers.has("access-control-allow-origin")).toBe(false);
    expect((await api.call("GET", "/api/projects")).body.projects).toEqual([]);
  });

  test("a browser that names no origin is refused what changes something for another site's page", async () => {
    const ask = async (site: string, method = "POST") =>
      (await api.call(method, "/api/projects/nope", undefined, { "sec-fetch-site": site })).status;
    for (const site of ["cross-site", "same-site"]) {
      for (const method of ["POST", "PATCH", "DELETE"]) expect(await ask(site, method)).toBe(403);
      expect(await ask(site, "GET")).toBe(404);
    }
    for (const site of ["same-origin", "none"]) expect(await ask(site, "DELETE")).toBe(404);
  });

  test.each([
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://127.0.0.1:80.evil.example",
    "file://",
  ])("a page of %s is refused, and cannot read why", async (origin) => {
    const { status, headers, body } = await api.call("GET", "/api/flavors", undefined, { origin });
    expect(status).toBe(403);
    expect(body).toMatchObject({ code: "origin_not_allowed" });
    expect(headers.has("access-control-allow-origin")).toBe(false);
  });

  test("a browser is told before a request what it may send", async () => {
    const ask = { origin: "https://pods.example.com", "access-control-request-method": "PATCH" };
    const { status, headers } = await api.call("OPTIONS", "/api/projects/x", undefined, ask);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-methods")).toContain("PATCH");
    const mayBeSent = headers.get("access-control-allow-headers")?.split(", ");
    for (const name of ["if-match", "if-unmodified-since", "cache-control", "last-event-id", "prefer"]) {
      expect(mayBeSent).toContain(name);
    }
    expect(headers.get("access-control-allow-origin")).toBe("https://pods.example.com");
    const refused = await api.call("OPTIONS", "/api/projects/x", undefined, { ...ask, origin: "https://evil.example" });
    expect(refused.status).toBe(403);
  });
});

describe("with a token", () => {
  let api: TestApp;
  beforeAll(() => {
    api = createTestApp({ auth: { token, allowedOrigins: ["https://pods.example.com"] } });
  });
  afterAll(async () => await api.close());

  test("every described route but the open ones asks for it", async () => {
    const open = ["/health", "/ready"];
    for (const [path, operations] of Object.entries(api.app.document.paths ?? {})) {
      for (const method of Object.keys(operations)) {
        const { status, headers, body } = await api.call(method.toUpperCase(), path.replace("{id}", "js"), undefined, {
          "content-type": "application/json",
        });
        if (open.includes(path)) {
          expect(status).toBe(200);
        } else {
          expect([method, path, status]).toEqual([method, path, 401]);
          expect(headers.get("www-authenticate")).toBe('Bearer realm="agentpod"');
          expect(body).toMatchObject({ code: "unauthorized" });
        }
      }
    }
  });

  test.each(["/health", "/ready", "/openapi.json", "/docs", "/docs/errors"])("%s is open", async (path) => {
    expect((await api.app.request(path)).status).toBe(200);
  });

  test.each([
    bearer("wrong"),
    bearer(""),
    bearer(`${token}x`),
    bearer(token.slice(0, -1)),
    bearer(`${token} ${token}`),
    { authorization: token },
    { authorization: `Basic ${btoa(`x:${token}`)}` },
    { "x-api-key": token },
  ])("%j does not let in", async (headers) => {
    for (const path of ["/api/flavors", "/api/projects"]) {
      const { status } = await api.call("GET", path, undefined, headers);
      expect(status).toBe(401);
    }
  });

  test.each([bearer(token), { authorization: `bearer  ${token}` }])("%j lets in", async (headers) => {
    for (const path of ["/api/flavors", "/api/flavors/js", "/api/projects"]) {
      expect((await api.call("GET", path, undefined, headers)).status).toBe(200);
    }
  });

  test("any Host is served", async () => {
    const { status } = await api.call("GET", "/api/flavors", undefined, { ...bearer(token), host: "api.example.com" });
    expect(status).toBe(200);
  });

  test("only pages of allowed origins can read the answers", async () => {
    const ask = async (origin: string) => {
      const { headers } = await api.call("GET", "/api/flavors", undefined, { ...bearer(token), origin });
      return headers.get("access-control-allow-origin");
    };
    expect(await ask("https://pods.example.com")).toBe("https://pods.example.com");
    expect(await ask("http://localhost:5173")).toBeNull();
  });

  test("the token is in no log line and no answer", async () => {
    const { body } = await api.call("GET", "/api/flavors/nope", undefined, bearer(token));
    await api.call("GET", "/api/projects", undefined, bearer(`${token}-typo`));
    expect(JSON.stringify([body, api.logged])).not.toContain(token);
  });
});

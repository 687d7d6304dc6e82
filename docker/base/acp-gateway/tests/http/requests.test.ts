import { describe, expect, test } from "bun:test";
import { rawRequest, statusOf } from "../support/raw-http.ts";
import { MAIN, serveApp } from "../support/served-app.ts";
import { createSurface } from "../support/test-surface.ts";

const AUTH = `Authorization: Bearer ${MAIN}\r\n`;

const post = (body: string, type = "application/json") => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});

describe("what a request holds", () => {
  test("everything wrong with it is told at once, each with its place and what would do", async () => {
    await using app = serveApp([createSurface()]);
    const answer = await app.call("/things/1?limit=9&limit=0&odd=1", {
      ...post('{"name":"","tags":["long one",5],"kind":{"b":"x"},"more":1}'),
      headers: { "content-type": "application/json", "x-count": "-1" },
    });
    expect(answer.status).toBe(400);
    const { code, errors } = (await answer.json()) as { code: string; errors: { path: string; fix?: string }[] };
    expect(code).toBe("invalid_request");
    expect(errors.map(({ path }) => path).toSorted()).toEqual(
      ["/kind/b", "/more", "/name", "/tags/0", "/tags/1", "?limit", "?limit", "?odd", "Header: x-count"].toSorted(),
    );
    expect(errors.find(({ path }) => path === "/tags/1")?.fix).toBe("give string");
  });

  test("a right request reaches its handler as its schemas have it", async () => {
    await using app = serveApp([createSurface()]);
    const answer = await app.call("/things/a%2Fb?limit=3&ticket=ignored", {
      ...post('{"name":"x"}', "application/json; charset=utf-8"),
    });
    expect(await answer.json()).toEqual({
      params: { id: "a/b" },
      query: { limit: 3 },
      headers: {},
      body: { name: "x" },
    });
  });

  test("a body that is no JSON, no UTF-8, of another type or absent is refused with its own code", async () => {
    await using app = serveApp([createSurface()]);
    const codeOf = async (init: RequestInit) =>
      ((await (await app.call("/things/1", init)).json()) as { code: string }).code;
    expect(await codeOf(post('{"name":'))).toBe("invalid_json");
    expect(await codeOf(post("name=x", "application/x-www-form-urlencoded"))).toBe("unsupported_media_type");
    expect(await codeOf(post('{"name":"x"}', "text/plain"))).toBe("unsupported_media_type");
    const latin = { ...post(""), body: Buffer.from('{"name":"\xe4"}', "latin1") };
    expect(await codeOf(latin)).toBe("invalid_json");
    expect(await codeOf({ method: "POST" })).toBe("invalid_request");
    const { errors } = (await (await app.call("/things/1", { method: "POST" })).json()) as { errors: unknown };
    expect(errors).toEqual([
      { path: "/", code: "required", message: "the request has no body", fix: "send a JSON object" },
    ]);
  });

  test("deep nesting is refused, wherever it stands, and brackets in strings are not nesting", async () => {
    await using app = serveApp([createSurface()]);
    for (const deep of [
      "[".repeat(100_000) + "]".repeat(100_000),
      `{"name":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
      "[".repeat(100_000),
    ]) {
      const answer = await app.call("/things/1", post(deep));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "invalid_json" });
    }
    const name = `${"[".repeat(1000)}\\"\\\\`;
    const answer = await app.call("/things/1", post(`{"name":"${name}"}`));
    expect(answer.status).toBe(200);
  });

  test("a handler is given what stands for * as it was sent", async () => {
    await using app = serveApp([createSurface()]);
    expect(await (await app.call("/rest/a%2fb/c%20d/?x=/1")).json()).toEqual({ rest: "a%2fb/c%20d/" });
    expect(await (await app.call("/rest/")).json()).toEqual({ rest: "" });
  });
});

describe("what an answer holds", () => {
  test("a request's id comes back when it is usable, and is made when not", async () => {
    await using app = serveApp([createSurface()]);
    const given = await app.call("/open", { headers: { "x-request-id": "my.id-1" } });
    expect(given.headers.get("x-request-id")).toBe("my.id-1");
    const made = await app.call("/open", { headers: { "x-request-id": "not usable!" } });
    expect(made.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("what breaks inside is told as nothing but that, what an agent said is passed on", async () => {
    await using app = serveApp([createSurface()]);
    const broken = await app.call("/breaks");
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain("secret");
    const refused = await app.call("/refuses");
    expect(refused.status).toBe(502);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(await refused.json()).toMatchObject({ code: "agent_error", rpc: { code: -32000, message: "no" } });
  });

  test("nothing served can run as a page of this origin", async () => {
    await using app = serveApp([createSurface()]);
    for (const path of ["/open", "/nothing", "/breaks"]) {
      const { headers } = await app.call(path);
      expect(headers.get("content-security-policy")).toContain("sandbox");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  test("HEAD answers as GET without a body, other methods say which there are", async () => {
    await using app = serveApp([createSurface()]);
    const head = await app.call("/open", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const method of ["POST", "DELETE", "OPTIONS", "TRACE"]) {
      const answer = await app.call("/open", { method, token: null });
      expect(answer.status).toBe(405);
      expect(answer.headers.get("allow")).toBe("GET, HEAD");
    }
  });
});

describe("names and origins", () => {
  const hostOf = (port: number, host: string, path = "/rest/x") =>
    rawRequest(port, [`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${AUTH}Connection: close\r\n\r\n`]).then(statusOf);

  test("the gateway answers to addresses, loopback and the names it was given", async () => {
    await using app = serveApp([createSurface()], { hosts: ["pod.example.com", "*.pods.example.com"] });
    for (const host of ["127.0.0.1", "127.0.0.1:4097", "[::1]:80", "10.0.0.5", "localhost", "a.localhost:1"]) {
      expect(await hostOf(app.port, host)).toBe(200);
    }
    for (const host of ["pod.example.com", "POD.example.com:443", "x.pods.example.com"]) {
      expect(await hostOf(app.port, host)).toBe(200);
    }
    for (const host of ["evil.example", "pods.example.com", "xpods.example.com", "127.0.0.1.evil.example", "1.2.3"]) {
      expect(await hostOf(app.port, host)).toBe(421);
    }
    expect(await hostOf(app.port, "evil.example", "/open")).toBe(200);
  });

  test("pages of listed origins and of its own may call, others may not", async () => {
    const origins = ["https://pod.example.com"];
    await using app = serveApp([createSurface()], { origins });
    const withOrigin = (origin: string, path = "/rest/x") => app.call(path, { headers: { origin } });
    for (const origin of [...origins, app.url, app.url.replace("http:", "https:")]) {
      const answer = await withOrigin(origin);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("vary")).toContain("Origin");
    }
    for (const origin of [
      "https://evil.example",
      "null",
      "http://pod.example.com",
      "https://pod.example.com.evil.example",
    ]) {
      for (const path of ["/rest/x", "/open"]) {
        const answer = await withOrigin(origin, path);
        expect(answer.status).toBe(403);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        expect(await answer.json()).toMatchObject({ code: "origin_not_allowed" });
      }
    }
    const shared = await withOrigin("https://pod.example.com");
    const exposed = (shared.headers.get("access-control-expose-headers") ?? "").split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["ETag", "Content-Disposition", "Preference-Applied"]));
    const refused = await withOrigin("https://pod.example.com", "/refuses");
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://pod.example.com");
  });

  test("a preflight needs no token, and an origin that may call", async () => {
    await using app = serveApp([createSurface()], { origins: ["https://pod.example.com"] });
    const ask = (origin: string) =>
      app.call("/things/1", {
        method: "OPTIONS",
        token: null,
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
      });
    const allowed = await ask("https://pod.example.com");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(allowed.headers.get("access-control-allow-headers")).toBe("authorization");
    expect((await ask("https://evil.example")).status).toBe(403);
  });
});

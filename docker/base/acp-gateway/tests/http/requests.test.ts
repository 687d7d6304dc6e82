import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { GatewayError } from "../../src/gateway-error.ts";
import { limitedBody } from "../../src/http/body.ts";
import { wholeNumber } from "../../src/http/parameters.ts";
import { json, noContent, route } from "../../src/http/route.ts";
import { until } from "../support/gateway.ts";
import { rawRequest, statusOf } from "../support/raw-http.ts";
import { MAIN, READER, serveApp } from "../support/served-app.ts";

const MiB = 1024 * 1024;
const AUTH = `Authorization: Bearer ${MAIN}\r\n`;

function createSurface() {
  const held: (() => void)[] = [];
  let closed = 0;
  const shared = { summary: "For tests", responses: { 200: { description: "As asked" } } };
  return {
    held,
    closed: () => closed,
    routes: [
      route({
        ...shared,
        method: "POST",
        path: "/things/:id",
        scope: "prompt",
        query: z.strictObject({ limit: wholeNumber(1, 5).optional() }),
        headers: z.object({ "x-count": wholeNumber(0, 9).optional() }),
        body: z.strictObject({
          name: z.string().min(1),
          tags: z.array(z.string().max(3)).optional(),
          kind: z.union([z.object({ a: z.string() }), z.object({ b: z.int() })]).optional(),
        }),
        handler: ({ params, query, headers, body }) => json({ params, query, headers, body }),
      }),
      route({ ...shared, method: "GET", path: "/rest/*", scope: "read", handler: ({ rest }) => json({ rest }) }),
      route({ ...shared, method: "GET", path: "/open", scope: "public", handler: () => json({ ok: true }) }),
      route({
        ...shared,
        method: "GET",
        path: "/hold",
        scope: "read",
        handler: ({ request }) =>
          new Promise<Response>((resolve) => {
            request.signal.addEventListener("abort", () => (closed += 1));
            held.push(() => resolve(noContent()));
          }),
      }),
      route({
        ...shared,
        method: "GET",
        path: "/breaks",
        scope: "read",
        handler: () => {
          throw new Error("a secret of the inside");
        },
      }),
      route({
        ...shared,
        method: "GET",
        path: "/refuses",
        scope: "read",
        handler: () => {
          throw new GatewayError("agent_error", "it said no", { rpc: { code: -32000, message: "no" }, retryAfterSeconds: 1.2 });
        },
      }),
      route({
        ...shared,
        method: "PUT",
        path: "/raw",
        scope: "files",
        body: "raw",
        handler: async ({ request }) => {
          let bytes = 0;
          for await (const chunk of limitedBody(request, 2 * MiB) ?? []) bytes += chunk.byteLength;
          return json({ bytes });
        },
      }),
    ],
  };
}

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
    expect(await answer.json()).toEqual({ params: { id: "a/b" }, query: { limit: 3 }, headers: {}, body: { name: "x" } });
  });

  test("a body that is no JSON, no UTF-8, of another type or absent is refused with its own code", async () => {
    await using app = serveApp([createSurface()]);
    const codeOf = async (init: RequestInit) => ((await (await app.call("/things/1", init)).json()) as { code: string }).code;
    expect(await codeOf(post('{"name":'))).toBe("invalid_json");
    expect(await codeOf(post("name=x", "application/x-www-form-urlencoded"))).toBe("unsupported_media_type");
    expect(await codeOf(post('{"name":"x"}', "text/plain"))).toBe("unsupported_media_type");
    const latin = { ...post(""), body: Buffer.from('{"name":"\xe4"}', "latin1") };
    expect(await codeOf(latin)).toBe("invalid_json");
    expect(await codeOf({ method: "POST" })).toBe("invalid_request");
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
    const withOrigin = (origin: string, init: RequestInit = {}, path = "/rest/x") =>
      app.call(path, { ...init, headers: { origin, ...init.headers } });
    for (const origin of [...origins, app.url, app.url.replace("http:", "https:")]) {
      const answer = await withOrigin(origin);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("vary")).toContain("Origin");
    }
    for (const origin of ["https://evil.example", "null", "http://pod.example.com", "https://pod.example.com.evil.example"]) {
      for (const path of ["/rest/x", "/open"]) {
        const answer = await withOrigin(origin, {}, path);
        expect(answer.status).toBe(403);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
        expect(await answer.json()).toMatchObject({ code: "origin_not_allowed" });
      }
    }
    const refused = await withOrigin("https://pod.example.com", {}, "/refuses");
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

describe("how much there may be", () => {
  test("a body over the limit is refused by its announced length, before it is sent", async () => {
    await using app = serveApp([createSurface()], { limits: { bodyBytes: MiB } });
    const head = `POST /things/1 HTTP/1.1\r\nHost: localhost\r\n${AUTH}Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n`;
    expect(statusOf(await rawRequest(app.port, [head]))).toBe(413);
  });

  test("a body over the limit is refused while it comes in chunks, without being kept", async () => {
    await using app = serveApp([createSurface()], { limits: { bodyBytes: MiB } });
    const part = "x".repeat(64 * 1024);
    const chunk = `${part.length.toString(16)}\r\n${part}\r\n`;
    for (const [method, path] of [["POST", "/things/1"], ["PUT", "/raw"]]) {
      function* sent() {
        yield `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${AUTH}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
        for (let bytes = 0; bytes < 100 * MiB; bytes += part.length) yield chunk;
      }
      const before = process.memoryUsage.rss();
      expect(statusOf(await rawRequest(app.port, sent()))).toBe(413);
      expect(process.memoryUsage.rss() - before).toBeLessThan(80 * MiB);
      expect((await app.call("/open")).status).toBe(200);
    }
  });

  test("a body within the limit is taken however it comes", async () => {
    await using app = serveApp([createSurface()]);
    const bytes = 2 * MiB;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let sent = 0; sent < bytes; sent += 65_536) controller.enqueue(new Uint8Array(65_536));
        controller.close();
      },
    });
    expect(await (await app.call("/raw", { method: "PUT", body: stream })).json()).toEqual({ bytes });
    expect((await app.call("/raw", { method: "PUT", body: new Uint8Array(bytes + 1) })).status).toBe(413);
  });

  test("large bodies at once share one budget", async () => {
    await using app = serveApp([createSurface()], { limits: { bodyBytes: 4 * MiB, bodiesBytes: 5 * MiB } });
    const half = `{"name":"${"x".repeat(3 * MiB)}`;
    const head = `POST /things/1 HTTP/1.1\r\nHost: localhost\r\n${AUTH}Content-Type: application/json\r\nContent-Length: ${4 * MiB}\r\n\r\n`;
    const answers = await Promise.all([1, 2].map(() => Promise.race([rawRequest(app.port, [head, half]), Bun.sleep(3000)])));
    expect(answers.filter((answer) => answer && statusOf(answer) === 429)).toHaveLength(1);
  });

  test("a sender that takes its time is not waited for", async () => {
    await using app = serveApp([createSurface()], { readBodyMs: 200 });
    const head = `POST /things/1 HTTP/1.1\r\nHost: localhost\r\n${AUTH}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    expect(statusOf(await rawRequest(app.port, [head]))).toBe(408);
  });

  test("beyond the requests in flight others are told to wait, and health still answers", async () => {
    const surface = createSurface();
    await using app = serveApp([surface], { limits: { requestsInFlight: 20 } });
    const holding = Array.from({ length: 20 }, () => app.call("/hold"));
    await until(() => surface.held.length === 20);
    const refused = await app.call("/rest/x");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await app.call("/open")).status).toBe(200);
    for (const release of surface.held) release();
    expect((await Promise.all(holding)).every(({ status }) => status === 204)).toBe(true);
    expect((await app.call("/rest/x")).status).toBe(200);
  });

  test("a client that goes away is noticed", async () => {
    const surface = createSurface();
    await using app = serveApp([surface]);
    const leaving = new AbortController();
    const call = app.call("/hold", { signal: leaving.signal }).catch(() => null);
    await until(() => surface.held.length === 1);
    leaving.abort();
    await until(() => surface.closed() === 1);
    surface.held[0]?.();
    await call;
    await until(() => app.app.inFlight() === 0);
  });

  test("more and larger headers than any client sends end the connection, and no other", async () => {
    await using app = serveApp([createSurface()]);
    function* flood() {
      yield `GET /open HTTP/1.1\r\nHost: localhost\r\n`;
      for (let index = 0; index < 100_000; index += 1) yield `X-Filler-${index}: ${"y".repeat(100)}\r\n`;
      yield "\r\n";
    }
    const status = statusOf(await rawRequest(app.port, flood()));
    expect([0, 400, 413, 431]).toContain(status);
    expect((await app.call("/open")).status).toBe(200);
  });

  test("a gateway that ends takes nothing new, and says so", async () => {
    await using app = serveApp([createSurface()]);
    app.beginClosing();
    const refused = await app.call("/rest/x", { token: READER });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "shutting_down"]);
    expect((await app.call("/open")).status).toBe(200);
  });
});

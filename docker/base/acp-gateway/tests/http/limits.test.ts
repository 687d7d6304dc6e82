import { describe, expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { rawRequest, statusOf } from "../support/raw-http.ts";
import { MAIN, READER, serveApp } from "../support/served-app.ts";
import { createSurface } from "../support/test-surface.ts";

const MiB = 1024 * 1024;
const AUTH = `Authorization: Bearer ${MAIN}\r\n`;

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
    for (const [method, path] of [
      ["POST", "/things/1"],
      ["PUT", "/raw"],
    ]) {
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
    const answers = await Promise.all(
      [1, 2].map(() => Promise.race([rawRequest(app.port, [head, half]), Bun.sleep(3000)])),
    );
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

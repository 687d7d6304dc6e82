import { Problem } from "@agentpod/types";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";
import { createRandom, type Random } from "../support/random.ts";
import { rawRequest } from "../support/raw-http.ts";

let api: TestApp;
let server: Bun.Server<unknown>;
beforeAll(() => {
  api = createTestApp();
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: api.app.fetch });
});
afterAll(async () => {
  await server.stop(true);
  await api.close();
});

const scalars = [
  null,
  true,
  0,
  -1,
  1e308,
  1.5,
  "",
  " ",
  "js",
  "a\u0000b",
  "\u202e",
  "😀",
  "x".repeat(10_000),
  "__proto__",
  "../../etc/passwd",
  "'; DROP TABLE projects; --",
  "http://127.0.0.1/",
  "file:///etc/passwd",
];
const fields = ["id", "name", "description", "sourceUrl", "resourceTierId", "flavorId", "addonIds", "containerTierId"];
const catalogFields = [
  "languages",
  "imageSizeMb",
  "isDefault",
  "sortOrder",
  "category",
  "port",
  "requiresGpu",
  "cpuCores",
  "slug",
  "__proto__",
];
const rawBodies = [
  "",
  "{",
  "[]",
  "null",
  '{"a":',
  '{"name":"\\ud800"}',
  "\u0000",
  "[".repeat(9999),
  `{"name":${"[".repeat(9999)}${"]".repeat(9999)}}`,
];
const ids = [
  "js",
  "nope",
  "%00",
  "%ff",
  "%",
  "%2e%2e",
  "..%2f..",
  "%F0%9F%98%80",
  "%ud800",
  "a".repeat(3000),
  "__proto__",
  "*",
  "-1",
];
const queries = [
  "",
  "?",
  "?category=%00",
  "?limit=-1",
  "?limit=1e9",
  "?limit=NaN",
  "?cursor=%ff",
  "?cursor=eyJ9",
  "?tail=x",
  "?after=-1",
  "?follow=maybe",
  "?a=1&a=2",
  "?%=%",
  "?__proto__=1",
  "?addonIds=%00,,%ff",
  `?search=${"x".repeat(5000)}`,
];
const types = [
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "x",
];

function randomValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 1 : 5);
  if (kind === 1) return Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1));
  if (kind === 2) return randomObject(random, depth + 1);
  return random.pick(scalars);
}

function randomObject(random: Random, depth = 0): Record<string, unknown> {
  const names = Array.from({ length: random.below(8) }, () =>
    random.pick([...fields, ...catalogFields, "constructor"]),
  );
  return Object.fromEntries(names.map((name) => [name, randomValue(random, depth)]));
}

function randomRequest(
  random: Random,
  method: string,
  path: string,
  known: readonly string[],
): { url: string; init: { method: string; body?: string; headers?: Record<string, string> } } {
  const url = path.replace("{id}", random.pick(known)) + random.pick(queries);
  if (method === "GET" || method === "HEAD") return { url, init: { method } };
  const body = random.below(4) === 0 ? random.pick(rawBodies) : JSON.stringify(randomObject(random));
  const type = random.below(5) === 0 ? random.pick(types) : "application/json";
  return { url, init: { method, body, headers: { "content-type": type, prefer: "wait=x", "last-event-id": "x" } } };
}

async function check(response: Response, what: string): Promise<void> {
  expect([what, response.status < 500]).toEqual([what, true]);
  if (response.headers.get("content-type")?.startsWith("text/")) {
    await response.body?.cancel();
    return;
  }
  const text = await response.text();
  expect(text).not.toMatch(/node_modules|\bat \w+ \(|SQLITE|\.ts:\d+/);
  if (response.status < 400) return;
  expect([what, response.headers.get("content-type")]).toEqual([what, "application/problem+json"]);
  const problem = Problem.parse(JSON.parse(text));
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get("x-request-id") ?? "");
  for (const { message } of problem.errors ?? []) expect(message).not.toBe("");
}

describe("whatever comes in", () => {
  test.each([1, 2, 3])("every route answers it with less than 500 and a problem (seed %d)", async (seed) => {
    const random = createRandom(seed);
    const { body: made } = await api.call("POST", "/api/projects", { name: `Seed ${seed}` });
    const known = [...ids, String(made["project"].id)];
    const routes = Object.entries(api.app.document.paths ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    expect(routes.length).toBeGreaterThan(30);
    for (const [method, path] of routes) {
      for (let round = 0; round < 25; round += 1) {
        const { url, init } = randomRequest(random, method, path, known);
        const what = `seed ${seed} round ${round}: ${method} ${url.slice(0, 80)} ${init.body?.slice(0, 120) ?? ""}`;
        await check(await api.app.request(url, init), what);
      }
    }
    expect(api.logged.filter(({ msg }) => msg === "request failed unexpectedly")).toEqual([]);
  });

  test.each([
    "GET /api/flavors/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /api/flavors/\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /api/flavors/%ZZ?%&&=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /api/projects?cursor=\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "BREW /api/flavors HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    "POST /api/flavors HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
    "POST /api/flavors HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "POST /api/flavors HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: \x01\x02\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00",
  ])("on the wire (case %#) the server goes on", async (bytes) => {
    const { status } = await rawRequest(server.port ?? 0, Buffer.from(bytes, "latin1"));
    // 505 is the server's own word for bytes that are no HTTP.
    expect(status < 500 || status === 505).toBe(true);
    expect((await fetch(new URL("/health", server.url))).status).toBe(200);
    expect(api.logged.filter(({ msg }) => msg === "request failed unexpectedly")).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";
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

const json = { "content-type": "application/json" };
const post = async (
  body: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = json,
  path = "/api/flavors",
) => {
  const response = await fetch(new URL(path, server.url), {
    method: "POST",
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe.each(["/api/flavors", "/api/images/resolve"])("a body for %s", (path) => {
  const bad = async (body: string | Uint8Array<ArrayBuffer> | undefined, headers?: Record<string, string>) =>
    await post(body, headers, path);

  test("that is missing is asked for", async () => {
    for (const headers of [{}, json] as Record<string, string>[]) {
      const answer = await bad(undefined, headers);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: "invalid_request", errors: [{ path: "", code: "required" }] });
    }
  });

  test.each(["{", "{]", "nul", '{"a":1}x', "'", "[".repeat(100_000)])(
    "that is no JSON (%.10s) is refused",
    async (body) => {
      const answer = await bad(body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: "invalid_request", errors: [{ path: "", code: "malformed_json" }] });
    },
  );

  test.each(["[]", "null", '"text"', "7", "true", `${"[".repeat(5000)}${"]".repeat(5000)}`])(
    "whose root is no object (%.10s) is refused",
    async (body) => {
      const answer = await bad(body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ code: "invalid_request", errors: [{ path: "", code: "invalid_type" }] });
    },
  );

  test("in bytes that are no UTF-8 is refused", async () => {
    const answer = await bad(new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ code: "malformed_json" }] });
  });

  test.each(['{"id":"\\ud800"}', '{"\\udc00":1}', '{"a":[{"b":"x\\udfffy"}]}'])(
    "with half a surrogate pair (%s) is refused",
    async (body) => {
      const answer = await bad(body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ errors: [{ code: "malformed_json" }] });
    },
  );

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin1",
    "application/jsonx",
    "",
    ";",
  ])("of type %j is refused before it is read", async (type) => {
    const answer = await bad("{", { "content-type": type });
    expect(answer.status).toBe(415);
    expect(answer.body).toMatchObject({ code: "unsupported_media_type" });
  });

  test("without a type is refused before it is read", async () => {
    const { status } = await rawRequest(
      server.port ?? 0,
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(status).toBe(415);
  });

  test("over the limit is refused, whether it says its length or not", async () => {
    const long = JSON.stringify({ name: "x".repeat(300_000) });
    const declared = await bad(long);
    expect(declared.status).toBe(413);
    expect(declared.body).toMatchObject({ code: "body_too_large" });
    const chunked = await rawRequest(
      server.port ?? 0,
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 40 }, () => `2710\r\n${"x".repeat(10_000)}\r\n`),
    );
    expect(chunked.status).toBe(413);
    expect(JSON.parse(chunked.body)).toMatchObject({ code: "body_too_large" });
  });

  test("that is too long is refused also where none is read", async () => {
    const { status } = await fetch(new URL("/api/projects/x/start", server.url), {
      method: "POST",
      body: "x".repeat(300_000),
    });
    expect(status).toBe(413);
  });

  test("that is cut off does not reach a handler", async () => {
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"id"`;
    await fetch(new URL("/health", server.url));
    const socket = await Bun.connect({ hostname: "127.0.0.1", port: server.port ?? 0, socket: { data() {} } });
    socket.write(head);
    socket.end();
    expect((await fetch(new URL("/health", server.url))).status).toBe(200);
    expect(api.logged.filter(({ msg }) => msg === "request failed unexpectedly")).toEqual([]);
  });
});

describe("a body's fields", () => {
  test("are all checked at once, each with its place, code and fix", async () => {
    const { status, body } = await post(
      JSON.stringify({ id: "Zig!", name: 7, languages: ["a", 1], sortOrder: -1, imageSizeMb: 1.5, isDefautl: true }),
    );
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "validation_failed", title: "Validation failed" });
    expect(body["errors"]).toEqual([
      { path: "id", code: "invalid_format", message: expect.any(String) },
      { path: "name", code: "invalid_type", message: "'name' must be a string, not a number", fix: "Send a string" },
      {
        path: "languages.1",
        code: "invalid_type",
        message: "'languages.1' must be a string, not a number",
        fix: "Send a string",
      },
      {
        path: "imageSizeMb",
        code: "invalid_type",
        message: "'imageSizeMb' must be an integer, not a number with a fraction",
        fix: "Send an integer",
      },
      { path: "sortOrder", code: "too_small", message: "'sortOrder' needs at least 0", fix: "Use at least 0" },
      {
        path: "isDefautl",
        code: "unknown_field",
        message: "Unknown field 'isDefautl'",
        fix: "Did you mean 'isDefault'?",
      },
    ]);
  });

  test("that are missing are required", async () => {
    const { body } = await post("{}");
    expect(body["errors"]).toEqual([
      { path: "id", code: "required", message: "'id' is required", fix: "Send a string" },
      { path: "name", code: "required", message: "'name' is required", fix: "Send a string" },
    ]);
  });

  test("are bounded in the answer too", async () => {
    const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 1]));
    const { status, body } = await post(JSON.stringify({ id: "x", name: "x", ...unknown, ["y".repeat(50_000)]: 1 }));
    expect(status).toBe(422);
    expect(body["errors"]).toHaveLength(50);
    expect(JSON.stringify(body).length).toBeLessThan(20_000);
  });

  test("named after JavaScript's own are unknown fields and pollute nothing", async () => {
    const { status, body } = await post(
      '{"id":"x","name":"x","__proto__":{"isDefault":true},"constructor":{"prototype":{"polluted":1}}}',
    );
    expect(status).toBe(422);
    expect((body["errors"] as { path: string }[]).map(({ path }) => path)).toEqual(["__proto__", "constructor"]);
    expect({}).not.toHaveProperty("polluted");
  });

  test.each([
    "application/json; charset=utf-8",
    "Application/JSON",
    'application/json;charset="UTF-8"',
    "application/merge-patch+json",
  ])("of type %s are read", async (type) => {
    const { status } = await post(JSON.stringify({ id: "Nope!", name: "x" }), { "content-type": type });
    expect(status).toBe(422);
  });
});

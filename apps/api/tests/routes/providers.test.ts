import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { updateProvider } from "../../src/models/index.ts";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeEach(() => {
  api = createTestApp();
});
afterEach(async () => await api.close());

const secret = "sk-ant-api03-abcDEF123_very-secret";
const credentials = "/api/providers/anthropic/credentials";
const wait = { prefer: "wait=5" };

/** A call whose answer must not hold the value, whatever it is. */
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await api.call(method, path, body, headers);
  expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain("secret");
  expect(JSON.stringify(api.logged)).not.toContain("secret");
  return answer;
}

describe("GET /api/providers", () => {
  test("lists the seeded providers in their order, without credentials", async () => {
    const { status, body, headers } = await call("GET", "/api/providers");
    expect(status).toBe(200);
    expect(body.providers.map(({ id }: { id: string }) => id)).toEqual([
      "anthropic",
      "openai",
      "google",
      "openrouter",
      "mistral",
      "deepseek",
      "groq",
      "xai",
    ]);
    expect(body.providers[0]).toEqual({
      id: "anthropic",
      name: "Anthropic",
      type: "anthropic",
      baseUrl: "https://api.anthropic.com",
      isEnabled: true,
      isDefault: true,
      sortOrder: 1,
      environment: [],
      credentials: [],
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    });
    const etag = headers.get("etag") ?? "";
    expect((await call("GET", "/api/providers", undefined, { "if-none-match": etag })).status).toBe(304);
    await call("PUT", credentials, { value: secret });
    expect((await call("GET", "/api/providers", undefined, { "if-none-match": etag })).status).toBe(200);
  });

  test("knows one by its id, and says which id may be meant", async () => {
    expect((await call("GET", "/api/providers/xai")).body.provider).toMatchObject({ id: "xai", name: "xAI" });
    const { status, body } = await call("GET", "/api/providers/antropic");
    expect([status, body.code]).toEqual([404, "provider_not_found"]);
    expect(body.detail).toContain("Did you mean 'anthropic'?");
  });
});

describe("PUT of a credential", () => {
  test("stores it, then replaces it, and answers all but the value", async () => {
    const made = await call("PUT", credentials, { value: `  ${secret}\n` });
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const time = expect.stringMatching(/Z$/);
    expect(made.body).toMatchObject({
      appliesFrom: "next_start",
      provider: {
        id: "anthropic",
        environment: ["ANTHROPIC_API_KEY"],
        credentials: [{ label: "default", createdAt: time, updatedAt: time }],
      },
    });
    expect(Object.keys(made.body.provider.credentials[0])).toEqual(["label", "createdAt", "updatedAt"]);
    const replaced = await call("PUT", credentials, { value: "another", label: "default" });
    expect([replaced.status, replaced.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const other = await call("PUT", credentials, { value: "third", label: "Team B" });
    expect(other.status).toBe(201);
    const { body } = await call("GET", "/api/providers/anthropic");
    expect(body.provider).toEqual(other.body.provider);
    expect(body.provider.credentials.map(({ label }: { label: string }) => label)).toEqual(["Team B", "default"]);
  });

  test.each<[string, unknown, string, string]>([
    ["no value", {}, "value", "required"],
    ["an empty value", { value: " \n " }, "value", "too_short"],
    ["a value that is too long", { value: `secret${"x".repeat(8187)}` }, "value", "too_long"],
    ["a value that is no text", { value: { secret: "secret" } }, "value", "invalid_type"],
    ["a line break", { value: "secret\nsecret" }, "value", "invalid_format"],
    ["a NUL", { value: "secret\0secret" }, "value", "invalid_format"],
    ["a character nobody sees", { value: "secret\u200bsecret" }, "value", "invalid_format"],
    ["a line separator", { value: "secret\u2028secret" }, "value", "invalid_format"],
    ["a single quote", { value: "secret'secret" }, "value", "invalid_format"],
    ["a backslash at the end", { value: "secret\\" }, "value", "invalid_format"],
    ["a template", { value: "secret{{team.X}}" }, "value", "invalid_format"],
    ["a dollar in JSON", { value: '{"secret":"$HOME"}' }, "value", "invalid_format"],
    ["a comment in JSON", { value: '{"secret":"a #b"}' }, "value", "invalid_format"],
    ["another field", { value: "secret", key: "secret" }, "key", "unknown_field"],
    ["a label that is empty", { value: "secret", label: " " }, "label", "too_short"],
    ["a label with a control character", { value: "secret", label: "a\u0007" }, "label", "invalid_format"],
  ])("is refused with %s, and nothing of it is repeated or kept", async (_what, body, path, code) => {
    const answer = await call("PUT", credentials, body);
    expect([answer.status, answer.body.code]).toEqual([422, "validation_failed"]);
    expect(answer.body.errors).toMatchObject([{ path, code }]);
    expect((await call("GET", "/api/providers/anthropic")).body.provider.credentials).toEqual([]);
  });

  test("says that it is Coolify that cannot carry a value", async () => {
    for (const value of ["it's", "c:\\", "{{x}}", '["$1"]']) {
      const { body } = await call("PUT", credentials, { value });
      expect(body.errors[0].message).toContain("Coolify");
    }
  });

  test.each([
    "x",
    "a b",
    'say "hi"',
    "back\\slash inside",
    "ünïcode",
    "a$b #c",
    '{"type":"service"}',
    "x".repeat(8192),
  ])("takes any other value (%#)", async (value) => {
    expect((await api.call("PUT", credentials, { value })).status).toBe(201);
  });

  test("is refused for a provider that is not there, with broken JSON and without JSON", async () => {
    const missing = await call("PUT", "/api/providers/nope/credentials", { value: secret });
    expect([missing.status, missing.body.code]).toEqual([404, "provider_not_found"]);
    for (const [type, text, code] of [
      ["application/json", `{"value":"${secret}`, "invalid_request"],
      ["text/plain", secret, "unsupported_media_type"],
      ["application/json", `["${secret}"]`, "invalid_request"],
    ] as const) {
      const init = { method: "PUT", body: text, headers: { "content-type": type } };
      const answer = await (await api.app.request(credentials, init)).text();
      expect(answer).not.toContain("secret");
      expect(JSON.parse(answer)).toMatchObject({ code });
    }
  });
});

describe("DELETE of credentials", () => {
  const labels = async () =>
    (await call("GET", "/api/providers/openai")).body.provider.credentials.map(({ label }: { label: string }) => label);

  test("takes the one with the label, or all", async () => {
    const path = "/api/providers/openai/credentials";
    for (const label of ["a", "b", "c"]) await call("PUT", path, { value: "secret", label });
    expect((await call("DELETE", `${path}?label=b`)).status).toBe(204);
    expect(await labels()).toEqual(["a", "c"]);
    const unknown = await call("DELETE", `${path}?label=b`);
    expect([unknown.status, unknown.body.code]).toEqual([404, "credentials_not_found"]);
    const removed = await call("DELETE", path);
    expect([removed.status, removed.body]).toEqual([204, undefined]);
    expect(await labels()).toEqual([]);
    const again = await call("DELETE", path);
    expect([again.status, again.body.code]).toEqual([404, "credentials_not_found"]);
    expect((await call("DELETE", "/api/providers/nope/credentials")).body.code).toBe("provider_not_found");
    expect((await call("DELETE", `${path}?name=b`)).status).toBe(400);
    expect((await call("DELETE", `${path}?label=a&label=b`)).status).toBe(400);
  });
});

describe("the scopes of providers", () => {
  test("are asked for, and a web page of another origin may not PUT", async () => {
    await api.close();
    api = createTestApp({ auth: { token: "0123456789abcdef" } });
    for (const [method, path] of [
      ["GET", "/api/providers"],
      ["GET", "/api/providers/openai"],
      ["PUT", credentials],
      ["DELETE", credentials],
    ] as const) {
      expect((await call(method, path, method === "PUT" ? { value: "secret" } : undefined)).status).toBe(401);
    }
    const token = { authorization: "Bearer 0123456789abcdef" };
    expect((await call("PUT", credentials, { value: "secret" }, token)).status).toBe(201);
  });

  test("let no web page of another origin in where there is no token, and a known one's ask before", async () => {
    const origin = "https://dash.example.com";
    const foreign = await call("PUT", credentials, { value: "secret" }, { origin });
    expect([foreign.status, foreign.body.code]).toEqual([403, "origin_not_allowed"]);
    await api.close();
    api = createTestApp({ auth: { allowedOrigins: [origin] } });
    const asking = await call("OPTIONS", credentials, undefined, { origin, "access-control-request-method": "PUT" });
    expect(asking.headers.get("access-control-allow-methods")).toContain("PUT");
  });
});

describe("a change of credentials", () => {
  const generations = () => api.db.query("SELECT generation FROM projects ORDER BY created_at, id").values().flat();

  test("makes all sandboxes outdated, and shows in no project", async () => {
    const made = await call("POST", "/api/projects", { name: "One" }, wait);
    const path = `/api/projects/${made.body.project.id}`;
    api.db.run("INSERT INTO projects (id, name, slug, status) VALUES ('old', 'Old', 'old', 'stopped')");
    const before = await call("GET", path);
    expect(generations()).toEqual([1, 0]);
    await call("PUT", credentials, { value: secret });
    expect(generations()).toEqual([2, 0]);
    await call("PUT", credentials, { value: secret, label: "other" });
    await call("DELETE", `${credentials}?label=other`);
    expect(generations()).toEqual([4, 0]);
    await call("DELETE", "/api/providers/xai/credentials");
    await call("PUT", credentials, { value: "it's" });
    expect(generations()).toEqual([4, 0]);
    const after = await call("GET", path);
    expect(after.body).toEqual(before.body);
    expect(after.headers.get("etag")).toBe(before.headers.get("etag"));
    const changed = await call("PATCH", path, { resourceTierId: "power" }, wait);
    expect([changed.status, changed.body.project.resourceTierId]).toEqual([200, "power"]);
    expect(generations()).toEqual([5, 0]);
  });

  test("shows at once what a disabled provider gives: nothing", async () => {
    await call("PUT", credentials, { value: secret });
    updateProvider(api.db, "anthropic", { isEnabled: false, baseUrl: "https://proxy.example.com" });
    expect((await call("GET", "/api/providers/anthropic")).body.provider.environment).toEqual([]);
    updateProvider(api.db, "anthropic", { isEnabled: true });
    expect((await call("GET", "/api/providers/anthropic")).body.provider.environment).toEqual([
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_BASE_URL",
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Document } from "../../../../../apps/api/tests/support/fuzz/document.ts";
import { createAnswerCheck } from "../support/declared-answers.ts";
import { fuzzGateway } from "../support/fuzz.ts";
import { startGateway, TOKEN } from "../support/gateway.ts";
import { generatedOpenApi, OPENAPI_FILE } from "../support/openapi/generate.ts";

let gateway: Awaited<ReturnType<typeof startGateway>>;
let document: Document;
let sessionId: string;
beforeAll(async () => {
  gateway = await startGateway();
  document = (await (await gateway.get("/openapi.json")).json()) as Document;
  const made = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
  sessionId = made.id;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const idsOf = (path: string): readonly string[] => (path.startsWith("/v1/sessions") ? [sessionId] : ["scripted"]);

describe("the OpenAPI document", () => {
  test("is the one that the routes make; run tests/support/openapi/generate.ts after a change", async () => {
    expect(await Bun.file(OPENAPI_FILE).text()).toBe(await generatedOpenApi());
    expect(document as unknown).toEqual(await Bun.file(OPENAPI_FILE).json());
  });

  test("declares real answers as they are", async () => {
    const check = createAnswerCheck(document);
    const verified: string[] = [];
    const verify = async (
      method: string,
      path: string,
      init: { body?: unknown; headers?: Record<string, string> } = {},
    ) => {
      const answer = await gateway.get(path, {
        method,
        headers: { ...init.headers, ...(init.body !== undefined && { "content-type": "application/json" }) },
        ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
      });
      const body = await answer.text();
      const found = check({ method, target: path, status: answer.status, headers: answer.headers, body });
      expect([method, path, answer.status, found]).toEqual([method, path, answer.status, []]);
      verified.push(`${method} ${path} ${answer.status}`);
      return answer.status < 300 && body.startsWith("{") ? (JSON.parse(body) as Record<string, string>) : {};
    };
    for (const path of [
      "/health",
      "/healthz",
      "/readyz",
      "/info",
      "/v1/info",
      "/metrics",
      "/v1/activity",
      "/v1/agents",
    ]) {
      await verify("GET", path);
      await verify("HEAD", path);
    }
    await verify("GET", "/v1/agents/scripted");
    await verify("GET", "/v1/agents/nobody");
    await verify("POST", "/v1/agents/scripted/probe");
    await verify("POST", "/v1/agents/scripted/install");
    await verify("POST", "/v1/tickets", { body: { scopes: ["read"] } });
    await verify("POST", "/v1/login");
    await verify("DELETE", "/v1/login");
    const { id } = await verify("POST", "/v1/sessions", { body: { agent: "scripted", title: "Declared" } });
    await verify("POST", "/v1/sessions", { body: { agent: 5 } });
    await verify("POST", "/v1/sessions", { body: { agent: "scripted", cwd: "/etc" } });
    await verify("GET", "/v1/sessions?limit=2");
    const at = `/v1/sessions/${id}`;
    await verify("GET", at);
    await verify("PATCH", at, { body: { title: null, permissionPolicy: { mode: "ask" } } });
    await verify("POST", `${at}/mode`, { body: { modeId: "ask" } });
    await verify("POST", `${at}/config`, { body: { configId: "model", value: "large" } });
    const { promptId } = await verify("POST", `${at}/prompt?wait=20`, { body: { text: "think a\ntext b" } });
    await verify("POST", `${at}/prompt`, { body: { content: [{ type: "text", text: "ask edit x" }] } });
    await verify("GET", `${at}/prompts`);
    await verify("GET", `${at}/prompts/${promptId}`);
    await verify("GET", `${at}/prompts/none`);
    await verify("GET", `${at}/permissions`);
    await verify("GET", `${at}/permissions?status=all`);
    await verify("GET", `${at}/elicitations`);
    await verify("POST", `${at}/permissions/none`, { body: { decision: "cancel" } });
    await verify("GET", `${at}/events`, { headers: { accept: "application/json" } });
    await verify("GET", `${at}/transcript`);
    await verify("GET", `${at}/transcript`, { headers: { accept: "text/markdown" } });
    await verify("POST", `${at}/cancel`);
    await verify("POST", `${at}/call`, { body: { method: "session/new" } });
    await verify("POST", `${at}/call`, { body: { method: "_none/such" } });
    await verify("GET", `${at}/providers`);
    await verify("POST", `${at}/logout`);
    await verify("POST", `${at}/fork`);
    await verify("POST", `${at}/close`);
    await verify("POST", `${at}/load`);
    await verify("POST", `${at}/resume`);
    await verify("DELETE", at);
    await verify("GET", at);
    await verify("GET", "/v1/fs/");
    await verify("GET", "/v1/fs/none");
    await verify("GET", "/v1/terminals");
    expect(verified.length).toBeGreaterThan(50);
  }, 60_000);

  test("holds for requests of any kind: nothing breaks, and no answer is another than declared", async () => {
    const { failures, statuses } = await fuzzGateway({
      port: gateway.listening.port,
      document,
      token: TOKEN,
      seed: 20_261_123,
      requests: 3000,
      concurrency: 16,
      ids: idsOf,
      // What starts programs or streams without end is tried by its own tests.
      without: ["POST /v1/terminals", "POST /v1/agents/{id}/probe", "DELETE /v1/sessions/{id}"],
    });
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(["200", "400", "404", "405"]));
    expect((await gateway.get("/health")).status).toBe(200);
  }, 120_000);
});

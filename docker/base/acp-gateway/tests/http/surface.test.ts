import { describe, expect, test } from "bun:test";
import { startGateway, TOKEN } from "../support/gateway.ts";

describe("the gateway's HTTP surface", () => {
  test("health answers without a token", async () => {
    await using gateway = await startGateway();
    const answer = await fetch(`${gateway.url}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: "ok", uptimeSeconds: expect.any(Number) });
    expect((await fetch(`${gateway.url}/health`, { method: "HEAD" })).status).toBe(200);
  });

  test("info tells what the gateway is and where", async () => {
    await using gateway = await startGateway({
      AGENTPOD_PROJECT_ID: "p-1",
      AGENTPOD_IMAGE: "somewhere/agentpod-js:1",
      AGENTPOD_FLAVOR: "js",
      AGENTPOD_ADDONS: "code-server,gui",
    });
    const answer = await gateway.get("/info");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      name: "acp-gateway",
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      projectId: "p-1",
      workspace: gateway.workspace,
      bun: Bun.version,
      platform: { os: process.platform, arch: process.arch },
      image: "somewhere/agentpod-js:1",
      flavor: "js",
      addons: ["code-server", "gui"],
      uptimeSeconds: expect.any(Number),
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test("everything else needs the exact token", async () => {
    await using gateway = await startGateway();
    const wrong = [
      "",
      TOKEN,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      "Bearer",
      `Bearer ${TOKEN} x`,
    ];
    for (const path of ["/info", "/v1/agents", "/v1/agents/opencode", "/nothing"]) {
      for (const authorization of wrong) {
        const answer = await fetch(gateway.url + path, {
          headers: authorization ? { authorization } : {},
        });
        expect(answer.status).toBe(401);
        expect(answer.headers.get("www-authenticate")).toStartWith("Bearer ");
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expect(await answer.json()).toMatchObject({ status: 401, code: "unauthorized" });
      }
    }
    expect((await fetch(`${gateway.url}/info`, { headers: { authorization: `bearer ${TOKEN}` } })).status).toBe(200);
  });

  test("unknown paths and wrong methods are problems with a code", async () => {
    await using gateway = await startGateway();
    const unknown = await gateway.get("/nothing/here");
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get("content-type")).toBe("application/problem+json");
    expect(await unknown.json()).toMatchObject({ status: 404, code: "not_found" });

    const agent = await gateway.get("/v1/agents/nobody");
    expect(agent.status).toBe(404);
    expect(await agent.json()).toMatchObject({ code: "agent_not_found" });

    for (const path of ["/health", "/info", "/v1/agents", "/v1/agents/opencode"]) {
      for (const method of ["POST", "DELETE", "OPTIONS"]) {
        const refused = await gateway.get(path, { method });
        expect(refused.status).toBe(405);
        expect(refused.headers.get("allow")).toBe("GET, HEAD");
        expect(await refused.json()).toMatchObject({ status: 405, code: "method_not_allowed" });
      }
    }
  });

  test("malformed paths never give a 500", async () => {
    await using gateway = await startGateway();
    for (const path of [
      "/v1/agents/%",
      "/v1/agents/%00",
      "/v1/agents/..%2f..",
      `/v1/agents/${"x".repeat(8000)}`,
      "//",
      "/%ff",
    ]) {
      expect((await gateway.get(path)).status).toBe(404);
    }
  });
});

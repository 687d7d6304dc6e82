import { describe, expect, test } from "bun:test";
import { agentPath } from "../../src/proxy/agent-path.ts";
import { headTimeoutMs } from "../../src/proxy/waiting.ts";
import { thrown } from "../support/thrown.ts";

describe("the path below /agent", () => {
  test.each([
    "/v1/sessions",
    "/v1/sessions?limit=2&cursor=a%2Fb",
    "/v1/fs/",
    "/v1/fs/a%20b/%25.txt",
    "/v1/fs/login",
    "/acp",
    "/acp/raw/opencode",
    "/openapi.json",
    "/health",
    "/readyz",
    "/metrics?x=..",
  ])("%s is asked for as it is", (path) => {
    expect(agentPath(path)).toBe(path);
  });

  test.each([
    "/",
    "/v2/sessions",
    "/V1/sessions",
    "/%761/sessions",
    "/info",
    "/health/x",
    "/v1/login",
    "/v1/login/",
    "/v1/LOGIN?x",
    "/v1/%6cogin",
    "/v1/tickets",
    "/v1/t%69ckets",
    "/acpx",
  ])("%s is not reached", (path) => {
    expect(thrown(() => agentPath(path))).toMatchObject({ code: "not_found" });
  });

  test.each([
    "/v1/../info",
    "/v1/%2e%2e/info",
    "/v1/.%2E/info",
    "/v1/./sessions",
    "/v1/a%2f..%2f..%2finfo",
    "/v1/..%2Finfo",
    "/v1//login",
    "//evil.example/v1",
    "/v1/a\\..\\b",
    "/v1/%zz",
    "/v1/%ff",
    "/v1/a b",
    "/v1/a\r\nx: y",
  ])("%j is refused, as another reader may take it for another path", (path) => {
    expect(thrown(() => agentPath(path))).toMatchObject({ code: "invalid_request" });
  });
});

describe("how long an answer's head may take", () => {
  test.each<[string, string, string | null, number]>([
    ["GET", "/v1/sessions", null, 30],
    ["POST", "/v1/sessions", null, 150],
    ["POST", "/v1/agents/codex/install", null, 960],
    ["POST", "/v1/sessions/s/prompt", "wait=100", 250],
    ["POST", "/v1/sessions/s/prompt?wait=100", null, 250],
    ["POST", "/v1/sessions/s/prompt?wait=5", "respond-async, wait=100", 250],
    ["POST", "/v1/sessions/s/prompt", "wait=999999", 3750],
    ["GET", "/v1/x?wait=soon", "await=3", 30],
    ["GET", "/v1/x?wait=-5", null, 30],
    ["GET", "/v1/x?wait=", null, 30],
  ])("%s %s with Prefer: %s is given %d s", (method, path, prefer, seconds) => {
    expect(headTimeoutMs(method, path, prefer)).toBe(seconds * 1000);
  });
});

import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, loadConfig } from "../../src/config.ts";
import { temporaryFolder, TOKEN } from "../support/gateway.ts";

const BASE = { AGENTPOD_GATEWAY_TOKEN: TOKEN, AGENTPOD_WORKSPACE: "/tmp" };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

async function withTokensFile(content: unknown, env: Record<string, string> = {}) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "tokens.json");
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  const all = { AGENTPOD_WORKSPACE: "/tmp", AGENTPOD_GATEWAY_TOKENS_FILE: file, ...env };
  const problems = problemsOf(all);
  return { problems, config: problems.length === 0 ? loadConfig(all) : null };
}

describe("settings", () => {
  test("have defaults that suit a sandbox", () => {
    expect(loadConfig(BASE)).toMatchObject({
      host: "127.0.0.1",
      port: 4097,
      roots: ["/tmp"],
      dataFolder: "/tmp/.agentpod/gateway",
      agentsFolder: "/tmp/.agentpod/gateway/agents",
      hosts: [],
      origins: [],
      agentsFile: null,
      registry: null,
      installAllowed: false,
      log: { synchronous: "normal", days: 0 },
      idleSeconds: 900,
      agentMemoryBytes: 0,
      permissionTimeoutSeconds: 86_400,
      limits: {
        sessions: 256,
        requestsInFlight: 1024,
        bodyBytes: 16 * 1024 * 1024,
        requestsPerMinute: 60_000,
        wrongTokensPerMinute: 60,
      },
    });
  });

  test("are read from their variables", () => {
    const config = loadConfig({
      ...BASE,
      AGENTPOD_GATEWAY_DATA: "/tmp/data",
      AGENTPOD_GATEWAY_ROOTS: "/tmp:/usr",
      AGENTPOD_GATEWAY_HOSTS: "Pod.example.com, *.pods.example.com",
      AGENTPOD_GATEWAY_ORIGINS: "https://pod.example.com http://localhost:3000",
      AGENTPOD_AGENT_INSTALL: "1",
      AGENTPOD_AGENT_REGISTRY: "https://registry.example/agents.json",
      AGENTPOD_GATEWAY_LOG_SYNCHRONOUS: "off",
      AGENTPOD_GATEWAY_LOG_MB: "10",
      AGENTPOD_AGENT_IDLE_SECONDS: "0",
      AGENTPOD_AGENT_MEMORY_MB: "512",
      AGENTPOD_PERMISSION_TIMEOUT_SECONDS: "0",
      AGENTPOD_GATEWAY_LIMIT_QUEUED_PROMPTS: "3",
      AGENTPOD_GATEWAY_LIMIT_REQUESTS_PER_MINUTE: "0",
      AGENTPOD_GATEWAY_LIMIT_WRONG_TOKENS_PER_MINUTE: "0",
    });
    expect(config).toMatchObject({
      roots: ["/tmp", "/usr"],
      dataFolder: "/tmp/data",
      agentsFolder: "/tmp/data/agents",
      hosts: ["pod.example.com", "*.pods.example.com"],
      origins: ["https://pod.example.com", "http://localhost:3000"],
      installAllowed: true,
      registry: "https://registry.example/agents.json",
      log: { synchronous: "off", bytes: 10 * 1024 * 1024 },
      idleSeconds: 0,
      agentMemoryBytes: 512 * 1024 * 1024,
      permissionTimeoutSeconds: 0,
      limits: { queuedPrompts: 3, requestsPerMinute: 0, wrongTokensPerMinute: 0 },
    });
  });

  test("that cannot be used are all named", () => {
    const wrong = {
      AGENTPOD_GATEWAY_DATA: "relative",
      AGENTPOD_GATEWAY_ROOTS: "/no/such/folder",
      AGENTPOD_GATEWAY_HOSTS: "http://x",
      AGENTPOD_GATEWAY_ORIGINS: "pod.example.com",
      AGENTPOD_AGENTS_FILE: "agents.json",
      AGENTPOD_AGENT_INSTALL: "yes",
      AGENTPOD_AGENT_REGISTRY: "ftp://x",
      AGENTPOD_GATEWAY_LOG_SYNCHRONOUS: "full",
      AGENTPOD_GATEWAY_LOG_MB: "0",
      AGENTPOD_AGENT_IDLE_SECONDS: "-1",
      AGENTPOD_GATEWAY_LIMIT_SESSIONS: "0",
    };
    const problems = problemsOf({ ...BASE, ...wrong });
    for (const name of Object.keys(wrong)) {
      expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
    }
    expect(problems).toHaveLength(Object.keys(wrong).length);
  });
});

describe("tokens", () => {
  test("named ones come from a file, in clear or as a digest, with their scopes", async () => {
    const sha256 = createHash("sha256").update("another long token").digest("hex");
    const { config } = await withTokensFile(
      [
        { name: "viewer", token: "a long enough-token".replaceAll(" ", "-"), scopes: ["read"] },
        { name: "bot", sha256, scopes: ["read", "prompt"] },
      ],
      { AGENTPOD_GATEWAY_TOKEN: TOKEN },
    );
    expect(config?.tokens.map(({ name, scopes }) => [name, scopes.size])).toEqual([
      ["main", 5],
      ["viewer", 1],
      ["bot", 2],
    ]);
    expect(config?.tokens[2]?.sha256.toString("hex")).toBe(sha256);
  });

  test("of a file that is wrong say where, and are not shown", async () => {
    const secret = "secret-that-must-not-show";
    for (const content of [
      "not json",
      { name: "x" },
      [{ name: "x y", token: secret, scopes: ["read"] }],
      [{ name: "x", token: secret, scopes: ["everything"] }],
      [{ name: "x", token: secret, scopes: [] }],
      [{ name: "x", token: secret, sha256: "0".repeat(64), scopes: ["read"] }],
      [{ name: "x", scopes: ["read"] }],
      [{ name: "x", token: "short", scopes: ["read"] }],
    ]) {
      const { problems } = await withTokensFile(content);
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain(secret);
    }
    const double = [1, 2].map(() => ({ name: "x", token: secret, scopes: ["read"] }));
    expect((await withTokensFile(double)).problems.join()).toContain("two tokens are called x");
  });

  test("may be done without only on loopback, and only when that is said", () => {
    const open = { AGENTPOD_WORKSPACE: "/tmp", AGENTPOD_GATEWAY_NO_TOKEN: "1" };
    expect(loadConfig(open).tokens).toEqual([]);
    expect(problemsOf({ ...open, AGENTPOD_GATEWAY_HOST: "0.0.0.0" })[0]).toContain("AGENTPOD_GATEWAY_HOST");
    expect(problemsOf({ ...open, AGENTPOD_GATEWAY_TOKEN: TOKEN })[0]).toContain("keep one");
    expect(problemsOf({ AGENTPOD_WORKSPACE: "/tmp" })[0]).toContain("no token");
  });
});

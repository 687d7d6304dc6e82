import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { BUILT_IN_AGENTS } from "../../../../docker/base/acp-gateway/src/agents/built-in-agents.ts";
import { acceptsEnvironmentName } from "../../../../docker/base/acp-gateway/src/child-environment.ts";
import { openDatabase } from "../../src/db/open.ts";
import { getAllProviders } from "../../src/models/index.ts";
import { providerEnvironment } from "../../src/services/provider-environment.ts";
import { type AgentWorld, API_TOKEN, createAgentWorld } from "../support/agent-world.ts";
import { call } from "../support/api-process.ts";

const keys = { anthropic: "sk-ant-of-the-tests-1111111111", openai: "sk-oai-of-the-tests-2222222222" };
const bearer = { authorization: `Bearer ${API_TOKEN}` };
let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld({
    acceptsEnv: ["ANTHROPIC_*"],
    env: { LOG_LEVEL: "debug" },
    async prepare(url) {
      for (const [provider, value] of Object.entries(keys)) {
        await call(url, "PUT", `/api/providers/${provider}/credentials`, { value }, bearer);
      }
    },
  });
}, 60_000);
afterAll(() => world.end());

/** The environment of a new session's agent, by the pid that it tells. */
async function environmentOfAgent(): Promise<string[]> {
  const answer = await world.client.ask(await world.session(), "pid");
  const pid = /"text":"(\d+)"/.exec(JSON.stringify(answer))?.[1];
  return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
}

test("an agent gets the key of its own provider, no other's, and nothing of the gateway", async () => {
  const environment = await environmentOfAgent();
  expect(environment).toContain(`ANTHROPIC_API_KEY=${keys.anthropic}`);
  expect(environment.filter((entry) => /^(OPENAI|AGENTPOD)_/.test(entry))).toEqual([]);

  const next = `${keys.anthropic}-new`;
  await call(world.api.url, "PUT", "/api/providers/anthropic/credentials", { value: next }, bearer);
  await world.change("restart");
  expect(await environmentOfAgent()).toContain(`ANTHROPIC_API_KEY=${next}`);
}, 30_000);

test("neither key is in an answer, an event or a log", async () => {
  const id = await world.session();
  await world.client.ask(id, "environ\ncrash");
  const said = [world.api.output()];
  for (const path of [
    "/v1/agents",
    "/v1/sessions",
    `/v1/sessions/${id}`,
    `/v1/sessions/${id}/transcript`,
    "/metrics",
  ]) {
    said.push(await (await world.ask(path)).text());
  }
  said.push(await (await world.ask("/v1/events?until=idle", { headers: { accept: "text/event-stream" } })).text());
  const place = `${world.api.url}/api/projects/${world.projectId}`;
  for (const path of ["", "/status", "/logs?tail=1000"]) {
    said.push(await (await fetch(place + path, { headers: bearer })).text());
  }
  expect(said.join("")).toContain("ANTHROPIC_API_KEY");
  for (const text of said) for (const key of Object.values(keys)) expect(text).not.toContain(key);
}, 30_000);

test("the names that keys are given under are those that agents accept", () => {
  const db = openDatabase(":memory:", { migrate: true });
  const readers: Record<string, string[]> = { anthropic: ["claude"], openai: ["codex", "qwen"], google: ["gemini"] };
  const own = { id: "my-llm", type: "openai-compatible" } as const;
  for (const { id, type } of [...getAllProviders(db), own]) {
    const names = Object.keys(providerEnvironment({ id, type, baseUrl: "https://llm.example/v1" }, "key"));
    expect(names.length).toBeGreaterThan(1);
    for (const agentId of ["opencode", ...(readers[id] ?? [])]) {
      const agent = BUILT_IN_AGENTS.find((entry) => entry.id === agentId);
      const accepted = names.filter((name) => agent && acceptsEnvironmentName(agent, name));
      // The other name that Google's key has is for others; here it would undo that the key is withheld.
      const expected = agentId === "gemini" ? names.filter((name) => name !== "GOOGLE_GENERATIVE_AI_API_KEY") : names;
      expect([agentId, accepted]).toEqual([agentId, expected]);
    }
    for (const [agentId, foreign] of [
      ["claude", "openai"],
      ["codex", "anthropic"],
      ["gemini", "openai"],
    ] as const) {
      const agent = BUILT_IN_AGENTS.find((entry) => entry.id === agentId);
      if (id === foreign) expect(names.filter((name) => agent && acceptsEnvironmentName(agent, name))).toEqual([]);
    }
  }
});

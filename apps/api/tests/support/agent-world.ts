import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createGatewayClient } from "@agentpod/gateway-client";
import { type ApiProcess, call, newDataDir, removeDataDir, startApi } from "./api-process.ts";

export const API_TOKEN = "an-api-token-of-the-tests";
const SCRIPTED_AGENT = resolve(import.meta.dir, "../../../../docker/base/acp-gateway/tests/support/scripted-agent.ts");

export interface AgentWorld {
  api: ApiProcess;
  dataDir: string;
  projectId: string;
  /** Path of the project's agents at the API. */
  place: string;
  /** A call with the API's token; `path` is the gateway's. */
  ask: (path: string, init?: RequestInit) => Promise<Response>;
  change: (verb: "start" | "stop" | "restart") => Promise<void>;
  client: ReturnType<typeof createGatewayClient>;
  /** A new session of the scripted agent; its id. */
  session: () => Promise<string>;
  end: () => Promise<void>;
}

export interface AgentWorldOptions {
  /** Names of variables that the scripted agent gets. */
  acceptsEnv?: readonly string[];
  env?: Record<string, string>;
  /** Before the project is made. */
  prepare?: (url: string, headers: Record<string, string>) => Promise<void>;
}

/** The API with a token, and one project on the process runtime whose gateway has a scripted agent. */
export async function createAgentWorld(options: AgentWorldOptions = {}): Promise<AgentWorld> {
  const { acceptsEnv = [], env = {}, prepare } = options;
  const dataDir = newDataDir();
  const agentsFile = join(dataDir, "agents.json");
  const agent = {
    id: "scripted",
    name: "Scripted",
    command: [process.execPath, SCRIPTED_AGENT],
    acceptsEnv,
    quirks: { loads: true },
  };
  writeFileSync(agentsFile, JSON.stringify({ agents: [agent] }));
  const api = await startApi({
    dataDir,
    entry: "apps/api/tests/support/agent-api.ts",
    env: { RUNTIME: "process", API_TOKEN, AGENTS_FILE: agentsFile, ...env },
  });
  const headers = { authorization: `Bearer ${API_TOKEN}` };
  await prepare?.(api.url, headers);
  const wait = { ...headers, prefer: "wait=60" };
  const made = await call(api.url, "POST", "/api/projects", { name: "Driven", flavorId: "js", addonIds: [] }, wait);
  if (made.body.project?.status !== "running") throw new Error(`no project: ${JSON.stringify(made.body)}`);
  const projectId = made.body.project.id;
  const place = `/api/projects/${projectId}/agent`;
  const client = createGatewayClient({ url: api.url + place, token: API_TOKEN });
  return {
    api,
    dataDir,
    projectId,
    place,
    client,
    ask: (path, init = {}) => {
      const sent = new Headers(init.headers);
      if (!sent.has("authorization")) sent.set("authorization", headers.authorization);
      return fetch(api.url + place + path, { redirect: "manual", ...init, headers: sent });
    },
    async change(verb) {
      const { body } = await call(api.url, "POST", `/api/projects/${projectId}/${verb}`, undefined, wait);
      if (body.operation.status !== "succeeded") throw new Error(`${verb} failed: ${JSON.stringify(body)}`);
    },
    session: async () => (await client.createSession({ agent: "scripted" })).id,
    async end() {
      await call(api.url, "DELETE", `/api/projects/${projectId}`, undefined, wait);
      await api.end("SIGTERM");
      removeDataDir(dataDir);
    },
  };
}

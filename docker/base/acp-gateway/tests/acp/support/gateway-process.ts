import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject, Permission, PromptAnswer, Session } from "../../../src/wire/index.ts";
import { startGateway, temporaryFolder, TOKEN } from "../../support/gateway.ts";

const AGENT = join(import.meta.dir, "../../support/scripted-agent.ts");

type LoggedEvent = { seq: number; type: string; update?: JsonObject };

/** The REST side, as a script would use it. */
function createRest(url: string) {
  async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, accept: "application/json", "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  return {
    create: (body: object) => call<Session>("POST", "/v1/sessions", { agent: "scripted", ...body }),
    session: (id: string) => call<Session>("GET", `/v1/sessions/${id}`),
    /** Prompts and waits for the end of the turn. */
    ask: (id: string, text: string) => call<PromptAnswer>("POST", `/v1/sessions/${id}/prompt?wait=10`, { text }),
    permissions: async (id: string) =>
      (await call<{ permissions: Permission[] }>("GET", `/v1/sessions/${id}/permissions`)).permissions,
    answer: (id: string, permissionId: string, answer: object) =>
      call<Permission>("POST", `/v1/sessions/${id}/permissions/${permissionId}`, answer),
    events: async (id: string) =>
      (await call<{ events: LoggedEvent[] }>("GET", `/v1/sessions/${id}/events?limit=1000`)).events,
    clientsAttached: async () => (await call<{ clientsAttached: number }>("GET", "/v1/activity")).clientsAttached,
  };
}

/** A gateway process whose only own agent is the scripted one. */
export async function startGatewayProcess() {
  const folder = await temporaryFolder();
  const agentsFile = join(folder.path, "agents.json");
  const scripted = {
    id: "scripted",
    name: "Scripted",
    command: [process.execPath, AGENT],
    env: { SCRIPTED_AGENT_STATE: folder.path },
  };
  await writeFile(agentsFile, JSON.stringify({ agents: [scripted] }));
  const gateway = await startGateway({ AGENTPOD_AGENTS_FILE: agentsFile });
  return {
    url: `${gateway.url}/acp`,
    socketUrl: `${gateway.url.replace("http", "ws")}/acp`,
    workspace: gateway.workspace,
    pid: gateway.child.pid,
    rest: createRest(gateway.url),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

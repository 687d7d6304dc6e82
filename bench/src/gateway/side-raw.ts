import { AGENT_SESSION } from "./updates.ts";
import { type Agent, OPENING, post, rpc, type Side, startOwn } from "./sides.ts";

const promptMessage = (text: string): string =>
  rpc(3, "session/prompt", { sessionId: AGENT_SESSION, prompt: [{ type: "text", text }] });

/** The agent's lines as events, and nothing else. */
export async function startPassthrough(agent: Agent): Promise<Side> {
  const server = await startOwn("passthrough-server.ts", agent);
  for (const line of OPENING) await post(server.url, line);
  return {
    ...server,
    stream: () => Promise.resolve({ path: "/", headers: {} }),
    prompt: async (text) => void (await post(server.url, promptMessage(text))),
  };
}

/** The official client and Hono. */
export async function startSdkClient(agent: Agent): Promise<Side> {
  const server = await startOwn("sdk-server.ts", agent);
  return {
    ...server,
    stream: () => Promise.resolve({ path: "/", headers: {} }),
    prompt: async (text) => void (await post(server.url, text)),
  };
}

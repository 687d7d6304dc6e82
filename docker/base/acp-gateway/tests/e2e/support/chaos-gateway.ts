import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { agent } from "../../sessions/support.ts";
import { startGateway, temporaryFolder } from "../../support/gateway.ts";

export const AGENTS = ["one", "two", "three"];

/** A gateway that is killed and started again in the same folders, and what may have been left of its agents. */
export async function restartedGateway() {
  const folder = await temporaryFolder();
  const workspace = join(folder.path, "workspace");
  const state = join(folder.path, "state");
  for (const path of [workspace, state]) await mkdir(path);
  const agentsFile = join(folder.path, "agents.json");
  const agents = AGENTS.map((id) => agent(id, [], { env: { SCRIPTED_AGENT_STATE: state } }));
  await writeFile(agentsFile, JSON.stringify({ agents }));
  const env = { AGENTPOD_AGENTS_FILE: agentsFile, AGENTPOD_GATEWAY_LIMIT_QUEUED_PROMPTS: "200" };
  const logged: string[] = [];
  let current = startGateway(env, { workspace });

  return {
    logged,
    current: () => current,
    /** Pids of processes that were given this gateway's agents' own variable. */
    agentPids: (): number[] =>
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`SCRIPTED_AGENT_STATE=${state}`))
        .map(Number),

    async restart(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
      const before = await current;
      const started = Promise.withResolvers<Awaited<typeof current>>();
      current = started.promise;
      before.child.kill(signal);
      await before.child.exited;
      logged.push(...before.logged);
      await before[Symbol.asyncDispose]();
      started.resolve(await startGateway(env, { workspace }));
      await current;
    },

    async end(): Promise<number> {
      const { child, logged: lines } = await current;
      child.kill("SIGTERM");
      const code = await child.exited;
      logged.push(...lines);
      return code;
    },

    async [Symbol.asyncDispose]() {
      await (await current)[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

import { entry, testManager } from "./support.ts";

/** Run by reaper.test.ts: starts an agent, prints its pid and stays. Arguments: folder, script of the agent. */
const [folder = "", body = ""] = process.argv.slice(2);
const { manager } = await testManager({ entries: [entry("held", ["sh", "-c", body])], dataFolder: `${folder}/data` });
const agent = await manager.start({ agentId: "held", key: "k", cwd: folder, env: {} });
process.stdout.write(String(agent.pid));
await agent.exited;

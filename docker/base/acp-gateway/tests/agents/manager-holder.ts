import { rmdir } from "node:fs/promises";
import { entry, testManager } from "./support.ts";

/** Run by reaper.test.ts: starts an agent, prints its pid and stays. Arguments: folder, script of the agent. */
const [folder = "", body = ""] = process.argv.slice(2);
const { manager, folder: own } = await testManager({
  entries: [entry("held", ["sh", "-c", body])],
  dataFolder: `${folder}/data`,
});
// It will be killed and could not do it then.
await rmdir(own);
const agent = await manager.start({ agentId: "held", key: "k", cwd: folder, env: {} });
process.stdout.write(String(agent.pid));
await agent.exited;

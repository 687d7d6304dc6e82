import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/wait.ts";

const pidFile = "/var/run/docker.pid";
const starter = join(import.meta.dir, "../../../../.ci/engine");

/** Ends the Docker engine of this machine as a machine's shutdown does, and starts it again. */
export async function restartEngine(): Promise<void> {
  const pid = Number(readFileSync(pidFile, "utf8"));
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new Error(`${pidFile} names no process`);
  process.kill(pid, "SIGTERM");
  await until("the engine has ended", () => (existsSync(`/proc/${pid}`) ? undefined : true));
  const { exitCode, stderr } = Bun.spawnSync(["bash", starter], { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`the engine did not come back: ${stderr.toString()}`);
}

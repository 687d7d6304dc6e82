import { createAgentManager } from "./agent-manager.ts";
import { BUILT_IN_AGENTS } from "./agent-registry.ts";
import { createApp } from "./app.ts";
import { childEnvironment } from "./child-environment.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { logLine } from "./log.ts";

const EXIT_FAILED = 1;
/** sysexits.h EX_CONFIG: restarting with the same settings cannot help. */
const EXIT_CONFIG = 78;
const BODY_BYTES_MAX = 1024 * 1024;
const IDLE_SECONDS_MAX = 60;

function readConfig() {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(`acp-gateway: ${problem}`);
    process.exit(EXIT_CONFIG);
  }
}

const config = readConfig();
// Nothing started from here may find the token in what it inherits.
delete process.env["AGENTPOD_GATEWAY_TOKEN"];
delete process.env["AGENTPOD_GATEWAY_TOKEN_FILE"];

const agents = createAgentManager({
  entries: BUILT_IN_AGENTS,
  env: childEnvironment(process.env),
  now: Date.now,
});
const app = createApp({ config, agents, startedAt: new Date() });

function listen() {
  try {
    return Bun.serve({
      hostname: config.host,
      port: config.port,
      fetch: app.fetch,
      maxRequestBodySize: BODY_BYTES_MAX,
      idleTimeout: IDLE_SECONDS_MAX,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`acp-gateway: cannot listen on ${config.host}:${config.port}: ${reason}`);
    process.exit(EXIT_FAILED);
  }
}

const server = listen();

function stop(signal: NodeJS.Signals): void {
  agents.close();
  void server.stop(true);
  logLine("stopped", { signal });
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

logLine("listening", {
  host: server.hostname,
  port: server.port,
  pid: process.pid,
  projectId: config.projectId,
  workspace: config.workspace,
});

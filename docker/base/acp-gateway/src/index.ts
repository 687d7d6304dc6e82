import { RegistryError } from "./agent-registry.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { createGateway } from "./gateway.ts";
import { logLine } from "./log.ts";

const EXIT_FAILED = 1;
/** sysexits.h EX_CONFIG: restarting with the same settings cannot help. */
const EXIT_CONFIG = 78;
/** Streams send something more often than this; whoever else is silent for so long is not waited for. */
const IDLE_SECONDS_MAX = 30;
/** Supervisors kill after three seconds or more. */
const STOP_MS_MAX = 2700;

function complain(problems: readonly string[], code: number): never {
  for (const problem of problems) console.error(`acp-gateway: ${problem}`);
  process.exit(code);
}

function readConfig() {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) return complain(error.problems, EXIT_CONFIG);
    throw error;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function build() {
  try {
    return await createGateway({ config, environment: { ...process.env }, now: Date.now });
  } catch (error) {
    if (error instanceof RegistryError) return complain(error.problems, EXIT_CONFIG);
    return complain([reasonOf(error)], EXIT_FAILED);
  }
}

const config = readConfig();
// Nothing started from here may find a token in what it inherits.
for (const name of ["TOKEN", "TOKEN_FILE", "TOKENS_FILE"]) delete process.env[`AGENTPOD_GATEWAY_${name}`];
const gateway = await build();

function listen() {
  try {
    return Bun.serve({
      hostname: config.host,
      port: config.port,
      fetch: gateway.fetch,
      websocket: gateway.websocket,
      maxRequestBodySize: gateway.maxRequestBodySize,
      idleTimeout: IDLE_SECONDS_MAX,
      // No page with our source in it, should anything ever get past the handler; it alone would share the port.
      development: false,
      reusePort: false,
    });
  } catch (error) {
    return complain([`cannot listen on ${config.host}:${config.port}: ${reasonOf(error)}`], EXIT_FAILED);
  }
}

const server = listen();

async function stop(signal: NodeJS.Signals): Promise<void> {
  const ended = await Promise.race([gateway.close().then(() => true), Bun.sleep(STOP_MS_MAX).then(() => false)]);
  void server.stop(true);
  logLine("stopped", { signal, ...(ended ? {} : { reason: "what ran did not end in time" }) });
  process.exit(0);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal));

logLine("listening", {
  host: server.hostname,
  port: server.port,
  pid: process.pid,
  projectId: config.projectId,
  workspace: config.workspace,
});

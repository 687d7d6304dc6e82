import { RegistryError } from "./agent-registry.ts";
import { watchForBugs } from "./bug-watch.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { createGateway } from "./gateway.ts";
import { endIdleConnections } from "./http/idle-connections.ts";
import { openSocketCalls } from "./http/socket-calls.ts";
import { createSecretBlanker } from "./known-secrets.ts";
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
let close = (): Promise<void> => Promise.resolve();
let ending: Promise<boolean> | null = null;
watchForBugs({
  log: logLine,
  redact: createSecretBlanker(config.tokens, process.env),
  async end() {
    await endInOrder();
    process.exit(EXIT_FAILED);
  },
});
const gateway = await build();
close = () => gateway.close();

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
const calls = openSocketCalls();
if (calls !== null && server.port !== undefined) {
  endIdleConnections({
    calls,
    port: server.port,
    busyPorts: () => new Set([...gateway.requests()].map((request) => server.requestIP(request)?.port ?? 0)),
    log: logLine,
  });
}

/** False when what ran did not end in time. Whoever asks again waits for the same end. */
function endInOrder(): Promise<boolean> {
  const closed = async () => {
    try {
      await close();
    } catch (error) {
      logLine("not ended in order", { reason: reasonOf(error) });
    }
    return true;
  };
  ending ??= Promise.race([closed(), Bun.sleep(STOP_MS_MAX).then(() => false)]);
  return ending;
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  const ended = await endInOrder();
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
